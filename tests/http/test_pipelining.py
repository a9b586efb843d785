"""Requests that a client sends before it has the response to an earlier one (RFC 9112, section 9.3.2)."""

from __future__ import annotations

import contextlib

import pytest

from tests.http.running import LIMITS, Running, rest_of

pytestmark = pytest.mark.stack  # real sockets

_REQUEST = "GET /{} HTTP/1.1\nHost: x\n\n"
_LAST = "GET /last HTTP/1.1\nHost: x\nConnection: close\n\n"


def test_requests_get_their_responses_in_order(running: Running) -> None:
    ahead = [_REQUEST.format(number) for number in range(LIMITS.requests_ahead)]

    answer = rest_of(running.send("".join(ahead) + _LAST)).decode()

    paths = [f"/{number}" for number in range(LIMITS.requests_ahead)] + ["/last"]
    assert [piece.partition('"')[0] for piece in answer.split('"path": "')[1:]] == paths


def test_too_many_requests_break_the_connection(running: Running) -> None:
    ahead = [_REQUEST.format(number) for number in range(LIMITS.requests_ahead + 2)]

    with contextlib.suppress(ConnectionResetError):
        assert b"HTTP" not in rest_of(running.send(_REQUEST.format("wait") + "".join(ahead)))
    assert running.get("/")[0].status == 200


def test_a_client_that_goes_with_requests_ahead_ends_the_one_at_work(running: Running) -> None:
    connection = running.send(_REQUEST.format("stream"))
    assert connection.recv(65_536)
    connection.sendall(_REQUEST.format("").replace("\n", "\r\n").encode())

    connection.close()

    assert running.application.wait_for_end("/stream")

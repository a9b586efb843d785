"""`python -m app send`, on an API in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.client import send as command
from app.client.api import ApiError, Unreachable
from app.client.send import FAILED, MOST_BYTES, bodies, send
from app.commands.arguments import parse

DONE = {"stored": 2, "refused": 0, "problems": []}
AWAY = ApiError(503, {"message": "Kafka is away."})


class MemoryApi:
    """Gives out responses, or raises them, and keeps the requests."""

    def __init__(self, *responses: dict[str, Any] | Exception) -> None:
        self._responses = list(responses)
        self.requests: list[tuple[str, Mapping[str, Any], bytes]] = []

    def post(self, path: str, parameters: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        self.requests.append((path, parameters, body))
        response = self._responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


def run(api: MemoryApi, body: bytes = b"a\nb\n", *more: str) -> tuple[int, list[str], list[float]]:
    """The exit code, the remarks and the pauses."""
    remarks: list[str] = []
    pauses: list[float] = []
    code = send(api, parse(["send", "-", *more]), io.BytesIO(body), remarks.append, pauses.append)
    return code, remarks, pauses


def test_a_file_is_sent_as_it_is() -> None:
    api = MemoryApi(DONE)

    code, remarks, _ = run(api, b"a\nb", "--service", "shop")

    assert (code, remarks) == (0, ["2 stored, 0 refused"])
    assert api.requests == [("/logs", {"service": "shop", "host": "", "timezone": ""}, b"a\nb")]


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "app.log")

    assert command.run(parse(["send", file]), {}) == FAILED
    assert capsys.readouterr().err == f"send: {file} cannot be read: No such file or directory\n"


def test_logs_that_cannot_be_stored_are_named() -> None:
    api = MemoryApi({"stored": 1, "refused": 1, "problems": [{"event": 2, "reason": "too large"}]})

    assert run(api)[:2] == (1, ["Log 2 of 2: too large", "1 stored, 1 refused"])


def test_what_fails_for_the_moment_is_sent_again() -> None:
    api = MemoryApi(AWAY, AWAY, DONE)

    code, _, pauses = run(api)

    assert (code, len(pauses), len(api.requests)) == (0, 2, 3)


@pytest.mark.parametrize(
    ("responses", "tries"),
    [([AWAY] * 5, 5), ([ApiError(400, {"message": "No."})], 1), ([Unreachable("Nobody is there.")], 1)],
)
def test_what_fails_for_good_is_said(responses: list[Exception], tries: int) -> None:
    api = MemoryApi(*responses)

    code, remarks, _ = run(api)

    assert (code, len(api.requests)) == (2, tries)
    assert remarks[-1] == "Before that, 0 logs were stored."


@pytest.mark.parametrize("begin", [b"x" * MOST_BYTES, b"[{", b"[\n", b"{\n"])
def test_what_is_too_long_and_no_lines_is_refused_before_any_of_it_is_sent(begin: bytes) -> None:
    api = MemoryApi()

    code, remarks, _ = run(api, begin + b'  "a": 1,\n' * (MOST_BYTES // 9))

    assert (code, api.requests) == (2, [])
    assert "producer.py" in remarks[0]


def test_a_long_source_is_sent_in_pieces_of_whole_lines() -> None:
    text = (b"x" * 99 + b"\n") * (2 * MOST_BYTES // 100 + 1)

    pieces = list(bodies(io.BytesIO(text)))

    assert b"".join(pieces) == text
    assert all(len(piece) <= MOST_BYTES for piece in pieces)
    assert all(piece.endswith(b"\n") for piece in pieces)


class Pipe(io.BytesIO):
    """Gives out what is written line by line."""

    def seekable(self) -> bool:
        return False

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.readline()


def test_what_comes_line_by_line_is_sent_as_it_comes() -> None:
    assert list(bodies(Pipe(b"a\nb\nc"))) == [b"a\n", b"b\n", b"c"]

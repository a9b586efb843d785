"""Syslog over TLS, with and without certificates of clients."""

from __future__ import annotations

import contextlib
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from app.component import CannotStart
from tests.support.certificates import Authority, Files
from tests.syslog.listener import HOST, Listener, wait_until

New = Callable[..., Listener]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Files:
    return authority.sign("server")


def send(listener: Listener, authority: Authority, data: bytes, client: Files | None = None) -> str:
    """Send over TLS; returns the name in the server's certificate."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if client:
        context.load_cert_chain(*client)
    with context.wrap_socket(listener.connect("tls"), server_hostname=HOST) as connection:
        connection.sendall(data)
        certificate = connection.getpeercert() or {}
    subject = certificate["subject"]
    assert isinstance(subject, tuple)
    return str(subject[0][0][1])


def test_messages_come_in(new_listener: New, authority: Authority, server: Files) -> None:
    listener = new_listener(certificate=server.certificate, key=server.key)
    send(listener, authority, b"7 <14>one8 <14>t\nwo<14>six\n")

    rows = listener.rows(3)
    assert [row["message"] for row in rows] == ["<14>one", "<14>t\nwo", "<14>six"]
    assert {row["attributes"]["log.receiver.transport"] for row in rows} == {"tls"}


def test_clients_may_need_a_certificate_whose_name_is_kept(
    new_listener: New, authority: Authority, server: Files
) -> None:
    listener = new_listener(certificate=server.certificate, key=server.key, client_authority=authority.certificate)
    send(listener, authority, b"<14>one\n", authority.sign("web1"))
    [row] = listener.rows(1)
    assert row["attributes"]["log.receiver.client.certificate"] == "web1"

    # With TLS 1.3 the client may learn only later that it was refused.
    with contextlib.suppress(OSError):
        send(listener, authority, b"<14>two\n")
    wait_until(lambda: listener.problems("tls") == 1, "it is refused")
    assert listener.count("stored") == 1
    wait_until(lambda: listener.connections == 0, "none is open")


def test_what_does_not_speak_tls_is_refused(new_listener: New, server: Files) -> None:
    listener = new_listener(certificate=server.certificate, key=server.key)
    with listener.connect("tls") as client:
        client.sendall(b"<14>one\n" * 10)
        wait_until(lambda: listener.problems("tls") == 1, "it is refused")

    assert listener.read_bytes == 0


def test_a_renewed_certificate_is_used_and_a_bad_one_is_not(
    new_listener: New, authority: Authority, server: Files
) -> None:
    listener = new_listener(certificate=server.certificate, key=server.key)
    renewed = authority.sign("renewed")
    shutil.copy(renewed.certificate, server.certificate)
    shutil.copy(renewed.key, server.key)
    assert send(listener, authority, b"<14>one\n") == "renewed"
    server.key.write_text("no key")
    assert send(listener, authority, b"<14>two\n") == "renewed"

    listener.rows(2)


def test_a_certificate_that_cannot_be_used_stops_the_start_with_the_settings(new_listener: New, server: Files) -> None:
    server.key.write_text("no key")

    with pytest.raises(CannotStart, match=f"SYSLOG_TLS_KEY_FILE={server.key}"):
        new_listener(certificate=server.certificate, key=server.key)

"""Syslog over real sockets, to rows: nothing that was read is lost, and the sender waits while Kafka does."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from app.component import CannotStart
from app.errors import KafkaCode, Refused, TryAgainLater
from app.syslog.server import Address, Listening
from tests.fakes import MemoryPublisher
from tests.syslog.listener import HOST, Listener, new_server, wait_until

AWAY = TryAgainLater("Kafka does not answer", code=KafkaCode.UNREACHABLE)
HEADER = b"<11>1 2026-11-29T22:14:15.003Z web1 shop 123 ID47"

New = Callable[..., Listener]


def has_read(listener: Listener, size: int) -> bool:
    return listener.read_bytes == size


def counted(message: bytes) -> bytes:
    return b"%d %b" % (len(message), message)


def test_a_message_becomes_a_row_with_all_that_it_says(listener: Listener) -> None:
    listener.send(counted(HEADER + b' [ex@1 user="ann"] card declined'))

    [row] = listener.rows(1)
    attributes = row["attributes"]
    assert (row["timestamp"], row["level"], row["service"]) == ("2026-11-29T22:14:15.003Z", "ERROR", "shop")
    assert row["resource"] == {"host.name": "web1"}
    assert row["message"].endswith("card declined")
    assert attributes["log.syslog.structured_data.ex@1.user"] == "ann"
    assert (attributes["process.pid"], attributes["log.syslog.msgid"]) == ("123", "ID47")
    assert attributes["log.receiver.name"] == "syslog"
    assert (attributes["log.receiver.client.address"], attributes["log.receiver.transport"]) == (HOST, "tcp")
    assert len(attributes["log.receiver.request.id"]) == 16


def test_a_stack_trace_in_a_counted_message_and_one_in_a_datagram_are_one_event_each(listener: Listener) -> None:
    trace = HEADER + b" - java.lang.Boom: x\n\tat a.B.c(B.java:1)\n\n\tat a.B.d(B.java:2)"
    listener.send(counted(trace) + counted(HEADER + b" - next"))
    listener.rows(2)
    listener.datagram(trace)

    rows = listener.rows(3)
    assert Counter(row["message"].count("\n") for row in rows) == {3: 2, 0: 1}
    assert {row["level"] for row in rows} == {"ERROR"}
    assert Counter(row["attributes"]["log.receiver.transport"] for row in rows) == {"tcp": 2, "udp": 1}


def test_a_message_from_this_machine_gets_no_host_of_its_own(listener: Listener) -> None:
    listener.send(b"<14>hello\n")

    [row] = listener.rows(1)
    assert (row["message"], row["level"], row["resource"]) == ("<14>hello", "INFO", {})


def test_lines_that_are_no_syslog_are_read_as_anywhere(listener: Listener) -> None:
    listener.send(b'{"message": "one", "level": "WARN"}\n2026-11-29 22:14:15 ERROR two\n')

    assert [(row["message"], row["level"]) for row in listener.rows(2)] == [
        ("one", "WARN"),
        ("2026-11-29 22:14:15 ERROR two", "ERROR"),
    ]


def test_bytes_that_are_no_text_are_kept_and_flagged(listener: Listener) -> None:
    listener.send(counted(b"<14>a\n\xff\xfe") + b"\x01\x02\x80garbage\n")

    assert [row["parse_error"] for row in listener.rows(2)] == ["utf-8: invalid bytes"] * 2


def test_while_kafka_is_away_the_sender_waits_and_then_every_message_is_stored_once(listener: Listener) -> None:
    listener.publisher.failure = AWAY
    count, filler = 1000, b"x" * 30_000  # 30 MB: more than the service and the system hold
    sent = threading.Event()

    def send() -> None:
        with listener.connect() as client:
            for number in range(count):
                client.sendall(counted(b'<14>{"message": "m", "number": %d, "filler": "%b"}' % (number, filler)))
        sent.set()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_until(lambda: listener.read_bytes > 2_000_000, "it reads until its memory is full")
    assert not sent.wait(0.5)
    assert listener.read_bytes < 4_000_000
    listener.publisher.failure = None

    rows = listener.rows(count)
    assert sorted(int(row["attributes"]["number"]) for row in rows) == list(range(count))
    assert sent.wait(10)


def test_a_message_that_kafka_may_have_is_sent_again_with_the_same_id(listener: Listener) -> None:
    attempts: list[None] = []
    listener.publisher.meanwhile = lambda: attempts.append(None)
    listener.publisher.stop_acknowledging()
    listener.send(b"<14>hello\n")
    wait_until(lambda: len(attempts) == 2, "a second attempt")
    listener.publisher.acknowledge()

    rows = listener.rows(1)
    assert len(rows) >= 2
    assert len({row["attributes"]["log.receiver.request.id"] for row in rows}) == 1


def test_datagrams_without_room_are_dropped_and_counted(listener: Listener) -> None:
    listener.publisher.failure = AWAY
    size = 40_000
    for number in range(60):  # one after the other, so that the system drops none
        listener.datagram(b"<14>%0*d" % (size - 4, number))
        wait_until(partial(has_read, listener, size * (number + 1)), "it is read")
    listener.publisher.failure = None

    wait_until(lambda: listener.count("stored") + listener.count("dropped") == 60, "each is stored or counted")
    assert listener.count("stored") > 40
    assert listener.count("dropped") > 5


def test_a_message_that_kafka_refuses_stops_no_other(new_listener: New) -> None:
    def answer(value: bytes) -> Refused | None:
        return Refused("too large", code=KafkaCode.TOO_LARGE) if b"bad" in value else None

    listener = new_listener(publisher=MemoryPublisher(answer=answer))
    listener.send(b"<14>one\n<14>bad\n<14>two\n<14>six\n")

    rows = listener.rows(3)
    assert {row["message"] for row in rows} == {"<14>one", "<14>two", "<14>six"}
    wait_until(lambda: listener.count("refused") == 1, "one refused")


def test_on_stop_everything_is_stored_that_was_read_and_clients_learn_of_it(listener: Listener) -> None:
    with listener.connect() as client:
        client.sendall(b"<14>one\n<14>without an end")
        wait_until(lambda: listener.read_bytes > 20, "it is read")
        listener.server.stop()
        assert client.recv(1) == b""
        client.sendall(b" here\n<14>late\n")
    listener.server.join(10)

    assert [row["message"] for row in listener.rows(3)] == ["<14>one", "<14>without an end here", "<14>late"]


def test_on_stop_without_kafka_what_is_lost_is_counted(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.publisher.failure = AWAY
    listener.send(b"<14>one\n<14>two\n")
    wait_until(lambda: listener.read_bytes > 0, "it is read")
    listener.stop()

    assert listener.count("failed") == 2
    assert "2 messages that were read may be lost" in caplog.text


def test_too_many_connections_are_closed_and_counted(new_listener: New) -> None:
    listener = new_listener(most_connections=1)
    with listener.connect() as first, listener.connect() as second:
        assert second.recv(1) == b""
        first.sendall(b"<14>hello\n")
        assert listener.rows(1)
    wait_until(lambda: listener.connections == 0, "none is open")
    listener.send(b"<14>again\n")

    listener.rows(2)
    assert listener.problems("too_many_connections") == 1


def test_tls_on_the_port_without_is_refused(listener: Listener) -> None:
    with listener.connect() as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        assert client.recv(1) == b""

    assert (listener.problems("tls_on_tcp"), listener.count("stored")) == (1, 0)


@pytest.mark.parametrize(
    "first", [b"POST / HTTP/1.1\r\n", b"GET /?a HTTP/1.1\r\n", b"POST /" + b"a" * 3_000], ids=["post", "get", "long"]
)
def test_a_page_cannot_have_a_browser_post_logs_here(listener: Listener, first: bytes) -> None:
    with listener.connect() as client:
        client.sendall(first)
        with suppress(OSError):  # it was reset
            client.sendall(
                b" HTTP/1.1\r\nHost: localhost:5514\r\nContent-Type: text/plain\r\n\r\n<11>1 - h app - - - forged\n"
            )
            assert client.recv(1) == b""
        wait_until(lambda: listener.connections == 0, "it is closed")

    assert (listener.problems("http"), listener.count("stored")) == (1, 0)


def test_a_line_about_a_request_is_none(listener: Listener) -> None:
    listener.send(b"GET /pay 200 12ms\nPOST /pay HTTP/1.1 500\n")

    assert [row["message"] for row in listener.rows(2)] == ["GET /pay 200 12ms", "POST /pay HTTP/1.1 500"]


def test_a_client_that_resets_its_connection_loses_nothing_that_was_read(listener: Listener) -> None:
    client = listener.connect()
    client.sendall(counted(b"<14>one") + b"900 <14>half")
    wait_until(lambda: listener.read_bytes > 10, "it is read")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()

    assert [row["message"] for row in listener.rows(2)] == ["<14>one", "<14>half"]
    assert listener.problems("cut_off") == 1


def test_many_clients_at_a_time(listener: Listener) -> None:
    clients = [listener.connect() for _ in range(100)]
    for turn in range(5):
        for number, client in enumerate(clients):
            client.sendall(counted(b"<14>%d %d" % (turn, number)))
    for client in clients:
        client.close()

    rows = listener.rows(500)
    assert len({row["message"] for row in rows}) == 500
    assert len(listener.publisher.records) < 250


def test_a_port_that_is_taken_stops_the_start_with_its_setting(listener: Listener) -> None:
    taken = Address(HOST, listener.server.ports["tcp"], "SYSLOG_PORT")
    server = new_server(Listening(tcp=taken), MemoryPublisher(), listener.metrics)

    with pytest.raises(CannotStart, match="Set SYSLOG_PORT to a free port"):
        server.start()

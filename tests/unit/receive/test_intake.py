"""A request's events on the topic: a return means that Kafka has them all."""

from __future__ import annotations

import json
import threading

import pytest

from app.domain.receipt import HEADER, ReceiptReader
from app.errors import KafkaCode, Refused, TryAgainLater
from app.receive.intake import Intake
from app.receive.received import LINES, Piece, Problem, Received, Sent
from tests.fakes import MemoryPublisher

KEY = b"k" * 32
RECEIPT = {"name": "json", "request.id": "1"}


def received(*values: bytes, problems: tuple[Problem, ...] = ()) -> Received:
    return Received(LINES, [Piece(number, value) for number, value in enumerate(values)], problems, {"tenant": "a"})


def intake(publisher: MemoryPublisher, timeout_secs: float = 5.0) -> Intake:
    return Intake(publisher, key=KEY, timeout_secs=timeout_secs)


def test_all_events_are_on_the_topic_with_a_signed_receipt() -> None:
    publisher = MemoryPublisher()

    sent = intake(publisher).send(received(b"one", b"two"), RECEIPT)

    [record] = publisher.records
    assert sent == Sent(2)
    assert record.value == b"one\ntwo"
    assert json.loads(dict(record.headers)[HEADER] or b"") == {"v": 1, **RECEIPT, "tenant": "a"}
    assert ReceiptReader([KEY]).read(record.headers, record.value)[1]


def test_nothing_is_sent_of_nothing() -> None:
    publisher = MemoryPublisher()

    assert intake(publisher).send(received(problems=(Problem(0, "p"),)), RECEIPT) == Sent(0, (Problem(0, "p"),))
    assert not publisher.records


def test_an_event_that_no_record_can_hold_is_refused_and_the_others_are_stored() -> None:
    publisher = MemoryPublisher(max_record_bytes=4096 + 10)

    sent = intake(publisher).send(received(b"x" * 11, b"two"), RECEIPT)

    assert (sent.stored, list(sent.refused)) == (1, [0])
    assert [record.value for record in publisher.records] == [b"two"]


def test_it_returns_only_when_kafka_has_acknowledged() -> None:
    publisher = MemoryPublisher()
    publisher.stop_acknowledging()
    done = threading.Event()

    def send() -> None:
        intake(publisher).send(received(b"one"), RECEIPT)
        done.set()

    thread = threading.Thread(target=send)
    thread.start()
    assert not done.wait(0.1)
    publisher.acknowledge()
    thread.join(10)

    assert done.is_set()


def test_without_an_acknowledgement_in_time_the_outcome_is_unknown() -> None:
    publisher = MemoryPublisher()
    publisher.stop_acknowledging()

    with pytest.raises(TryAgainLater) as caught:
        intake(publisher, timeout_secs=0.05).send(received(b"one"), RECEIPT)

    assert (caught.value.code, caught.value.is_outcome_unknown) == (KafkaCode.TIMEOUT, True)


@pytest.mark.parametrize(
    "error",
    [TryAgainLater("r", code=KafkaCode.TIMEOUT, is_outcome_unknown=True), Refused("r", code=KafkaCode.TOO_LARGE)],
)
def test_one_record_that_fails_fails_the_request(error: TryAgainLater | Refused) -> None:
    values = iter([None, error, None])
    publisher = MemoryPublisher(max_record_bytes=4096 + 10, answer=lambda _: next(values))

    with pytest.raises(type(error)):
        intake(publisher).send(received(b"12345678", b"12345678", b"12345678"), RECEIPT)


def test_while_kafka_is_away_nothing_is_sent() -> None:
    publisher = MemoryPublisher()
    publisher.failure = TryAgainLater("no", code=KafkaCode.UNREACHABLE)

    with pytest.raises(TryAgainLater):
        intake(publisher).send(received(b"one"), RECEIPT)
    assert not publisher.records

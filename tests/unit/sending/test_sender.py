"""Sending lines to a scripted publisher."""

import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from app.errors import KafkaCode, TryAgainLater
from app.input.lines import Line
from sending.pacer import Pacer
from sending.sender import Sender, connect_patiently
from sending.tally import Tally
from tests.fakes import Clock, MemoryPublisher
from tests.unit.sending.publishers import unreachable, values

PATIENCE_SECS = 60.0


def send(
    publisher: MemoryPublisher,
    open_lines: Callable[[int], Iterable[Line]],
    *,
    max_count: int = 0,
    stopping: threading.Event | None = None,
) -> tuple[Sender, Tally]:
    """A finished sender, and its counts."""
    tally, clock = Tally(), Clock()
    sender = Sender(
        publisher,
        open_lines,
        tally,
        max_count=max_count,
        wait_secs=PATIENCE_SECS,
        pacer=Pacer(0, clock, clock.advance),
        key_of=None,
        stopping=stopping or threading.Event(),
    )
    sender.start()
    assert sender.has_ended(PATIENCE_SECS)
    return sender, tally


def endless(_: int) -> Iterator[Line]:
    number = 0
    while True:
        number += 1
        yield Line(number, b"x", 2)


def test_lines_are_opened_with_the_limit_of_the_topic() -> None:
    limits: list[int] = []

    def open_lines(max_bytes: int) -> list[Line]:
        limits.append(max_bytes)
        return []

    send(MemoryPublisher(max_record_bytes=100), open_lines)

    assert limits == [100]


def test_a_count_ends_an_endless_input() -> None:
    publisher = MemoryPublisher()

    sender, tally = send(publisher, endless, max_count=7)

    assert (sender.problem, tally.acknowledged, len(publisher.records)) == (None, 7, 7)


def test_nothing_is_sent_after_the_user_asked_to_stop() -> None:
    stopping, publisher = threading.Event(), MemoryPublisher()
    stopping.set()

    sender, tally = send(publisher, endless, stopping=stopping)

    assert (sender.problem, tally.sent, values(publisher)) == (None, 0, [])


def test_an_input_that_breaks_off_is_a_problem_and_what_came_before_is_sent() -> None:
    def open_lines(_: int) -> Iterator[Line]:
        yield Line(1, b"before", 7)
        raise OSError(5, "Input/output error")

    publisher = MemoryPublisher()
    sender, _ = send(publisher, open_lines)

    assert sender.problem == "the input cannot be read any further: Input/output error"
    assert values(publisher) == [b"before"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_of_the_program_is_no_end_of_the_input() -> None:
    def open_lines(_: int) -> Iterator[Line]:
        yield Line(1, b"before", 7)
        raise KeyError("x")

    sender, tally = send(MemoryPublisher(), open_lines)

    assert sender.problem == "the input was not read to its end: KeyError('x')"
    assert tally.acknowledged == 1


def test_a_kafka_that_does_not_answer_is_a_problem_with_advice() -> None:
    sender, tally = send(unreachable("no answer", KafkaCode.UNREACHABLE), endless)

    assert sender.problem == "no answer. The KAFKA_* variables hold its address and the login."
    assert tally.sent == 0


def test_a_missing_topic_is_not_waited_for_after_the_user_asked_to_stop() -> None:
    stopping = threading.Event()
    stopping.set()

    with pytest.raises(TryAgainLater, match="no topic"):
        connect_patiently(unreachable("no topic", KafkaCode.UNKNOWN_TOPIC), stopping)

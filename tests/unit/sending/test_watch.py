"""When a run is over."""

import io
import signal
import threading
from collections.abc import Callable, Iterable, Iterator

from app.input.lines import Line
from app.ports import LogPublisher
from sending.pacer import Pacer
from sending.progress import Progress
from sending.sender import Sender
from sending.signals import Signals
from sending.tally import Tally
from sending.watch import watch
from tests.fakes import Clock, MemoryPublisher
from tests.unit.sending.publishers import unanswered

PATIENCE_SECS = 60.0


def watched(
    publisher: LogPublisher, open_lines: Callable[[int], Iterable[Line]], signals: Signals
) -> tuple[Sender, Tally]:
    """A sender that was watched until the run was over, and its counts."""
    tally, clock = Tally(), Clock()
    sender = Sender(
        publisher,
        open_lines,
        tally,
        max_count=0,
        wait_secs=PATIENCE_SECS,
        pacer=Pacer(0, clock, clock.advance),
        key_of=None,
        stopping=signals.stopping,
    )
    progress = Progress(tally, io.StringIO(), max_count=0)
    signals.begin()
    sender.start()
    watch(sender, tally, progress, signals)
    return sender, tally


def test_a_run_is_over_when_everything_is_sent_and_acknowledged() -> None:
    sender, tally = watched(MemoryPublisher(), lambda _: [Line(1, b"one", 4), Line(2, b"two", 4)], Signals())

    assert sender.has_ended(0)
    assert (tally.sent, tally.acknowledged) == (2, 2)


def test_after_a_signal_the_sender_does_not_wait_for_more_input() -> None:
    signals, has_more = Signals(), threading.Event()

    def open_lines(_: int) -> Iterator[Line]:
        yield Line(1, b"one", 4)
        signals.receive(signal.SIGINT)
        has_more.wait(PATIENCE_SECS)

    sender, tally = watched(MemoryPublisher(), open_lines, signals)

    assert tally.acknowledged == 1
    assert not sender.has_ended(0)
    has_more.set()
    assert sender.has_ended(PATIENCE_SECS)


def test_a_signal_that_another_thread_received_ends_the_run() -> None:
    signals = Signals()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signals.install()

    def open_lines(_: int) -> Iterator[Line]:
        yield Line(1, b"one", 4)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        signals.stopping.wait(PATIENCE_SECS)
        yield Line(2, b"two", 4)

    _, tally = watched(MemoryPublisher(), open_lines, signals)

    for number, handler in before.items():
        signal.signal(number, handler)
    assert (signals.received, tally.sent) == ([signal.SIGTERM], 1)


def test_a_second_signal_ends_the_wait_for_acknowledgements() -> None:
    signals = Signals()

    sender, tally = watched(
        unanswered(signals, signal.SIGINT), lambda _: [Line(n, b"x", 2) for n in range(1, 4)], signals
    )

    assert sender.has_ended(PATIENCE_SECS)
    assert tally.in_flight == 3

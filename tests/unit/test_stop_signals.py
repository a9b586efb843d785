"""Signals that request the end are not missed, whichever thread the kernel hands them to."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from app.stop_signals import StopSignals

PATIENCE_SECS = 60.0


@pytest.fixture
def signals() -> Iterator[StopSignals]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield StopSignals()
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_received_ends_the_wait_of_the_main_thread(
    signals: StopSignals, number: signal.Signals
) -> None:
    begun = threading.Event()

    def receive() -> None:
        begun.wait(PATIENCE_SECS)
        signal.pthread_kill(threading.get_ident(), number)

    thread = threading.Thread(target=receive)
    thread.start()
    begun.set()

    assert signals.wait(PATIENCE_SECS)
    thread.join()


def test_a_signal_that_came_before_the_wait_counts(signals: StopSignals) -> None:
    os.kill(os.getpid(), signal.SIGTERM)

    assert signals.wait(PATIENCE_SECS)


def test_without_a_signal_the_wait_ends_in_time(signals: StopSignals) -> None:
    assert not signals.wait(0)


def test_other_signals_do_not_count(signals: StopSignals) -> None:
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: None)
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)

    assert not signals.wait(0)

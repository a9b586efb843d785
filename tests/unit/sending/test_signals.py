"""The effect of signals."""

import signal

import pytest

from sending.signals import Signals


@pytest.fixture
def signals() -> Signals:
    """Those of a run that has begun."""
    signals = Signals()
    signals.begin()
    return signals


def test_the_first_signal_asks_to_stop(signals: Signals) -> None:
    assert not signals.stopping.is_set()

    signals.receive(signal.SIGTERM)

    assert signals.stopping.is_set()


def test_signals_are_kept_in_the_order_in_which_they_came(signals: Signals) -> None:
    signals.receive(signal.SIGTERM)
    signals.receive(signal.SIGINT)

    assert signals.received == [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_before_anything_is_sent_a_signal_ends_the_program(number: int, expected: int) -> None:
    with pytest.raises(SystemExit) as stopped:
        Signals().receive(number)

    assert stopped.value.code == expected

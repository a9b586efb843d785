"""The effect of signals."""

import signal

from sending.signals import Signals


def test_the_first_signal_asks_to_stop() -> None:
    signals = Signals()
    assert not signals.stopping.is_set()

    signals.receive(signal.SIGTERM)

    assert signals.stopping.is_set()


def test_signals_are_kept_in_the_order_in_which_they_came() -> None:
    signals = Signals()

    signals.receive(signal.SIGTERM)
    signals.receive(signal.SIGINT)

    assert signals.received == [signal.SIGTERM, signal.SIGINT]

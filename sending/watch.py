"""Waits for the end of a run."""

import time

from sending.progress import Progress
from sending.sender import Sender
from sending.signals import Signals
from sending.tally import Tally

_TICK_SECS = 0.1


def watch(sender: Sender, tally: Tally, progress: Progress, signals: Signals) -> None:
    """Return when every record is acknowledged or failed, or when the user stops waiting."""
    ticks_since_signal = 0
    while len(signals.received) < 2:
        has_ended = sender.has_ended(_TICK_SECS)
        progress.show()
        ticks_since_signal += bool(signals.received)
        # A sender that still reads after a few ticks waits for input that may never come; it sends no more records.
        if not tally.in_flight and (has_ended or ticks_since_signal > 3):
            return
        if has_ended:
            time.sleep(_TICK_SECS / 5)

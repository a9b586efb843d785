"""Exponential backoff with jitter. Pure."""

import random

from msgspec import Struct


class Backoff(Struct, frozen=True):
    """Delays that double up to a limit, each shortened at random so that many instances do not retry at once."""

    first_secs: float = 0.2
    max_secs: float = 10.0

    def delay_secs(self, attempt: int, chance: float | None = None) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 1); `chance` is from 0 to 1, random if None."""
        full = min(self.first_secs * 2 ** min(attempt - 1, 30), self.max_secs)
        part = random.random() if chance is None else chance
        return full * (0.5 + 0.5 * part)

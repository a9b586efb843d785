"""The servers that share the address of the table: each has its own clock, and sees the rows of the others later."""

from __future__ import annotations

import random
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from tests.simulation.rows import Identity

_APART_SECS = 7.0  # either way, more than the margin of the protocol
_CATCHES_UP = 0.05  # chance in each turn
_IS_HELD = 0.1


class SimServers:
    """One server, or several; a load balancer chooses one for each request."""

    def __init__(self, rng: random.Random | None = None, count: int = 1) -> None:
        self._rng = rng or random.Random(0)
        self.count = count
        self._ahead_secs = [self._rng.uniform(-_APART_SECS, _APART_SECS) if count > 1 else 0.0 for _ in range(count)]
        self._unseen: list[set[Identity]] = [set() for _ in range(count)]

    def any(self) -> int:
        """The server that the load balancer chooses."""
        return self._rng.randrange(self.count) if self.count > 1 else 0

    def delay_secs(self) -> float:
        """How long the load balancer holds an insert: mostly not at all, sometimes for longer than its deadline."""
        return self._rng.uniform(5.0, 20.0) if self.count > 1 and self._rng.random() < _IS_HELD else 0.0

    def clock_of(self, server: int, now: float) -> float:
        """The clock of a server at the time `now`."""
        return now + self._ahead_secs[server]

    def clocks(self, now: float) -> Iterator[float]:
        """The clocks of all."""
        return (now + ahead for ahead in self._ahead_secs)

    def stored(self, server: int, identities: AbstractSet[Identity]) -> None:
        """A server has stored rows, of which the others do not know yet."""
        for other, unseen in enumerate(self._unseen):
            if other != server:
                unseen |= identities

    def has(self, server: int, identity: Identity) -> bool:
        """Whether a server has a stored row."""
        return identity not in self._unseen[server]

    def turn(self) -> None:
        """A server may catch up with the others."""
        for unseen in self._unseen:
            if unseen and self._rng.random() < _CATCHES_UP:
                unseen.clear()

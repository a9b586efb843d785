"""How many connections are open, by address. Used by the event loop alone."""

from collections import Counter
from collections.abc import Callable


class Connections:
    """Admits connections until there are too many, in total or from one address; 0 is no limit.

    Those of a proxy are of many clients: only the total counts for them.
    """

    def __init__(self, most: int, most_per_address: int, is_proxy: Callable[[str], bool]) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._is_proxy = is_proxy
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count a new connection; false if there are too many, and then it does not count."""
        if 0 < self._most <= self._open.total():
            return False
        if 0 < self._most_per_address <= self._open[address] and not self._is_proxy(address):
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """An admitted connection has ended."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

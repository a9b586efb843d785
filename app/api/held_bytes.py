"""Bytes of responses that are in memory until their clients have read them: limited in all, and for each client."""

import threading
from collections import Counter
from typing import Final

from app.api.admission import TooBusy

_RETRY_SECS: Final = 5


class HeldBytes:
    """How many bytes there are. Shared by threads."""

    def __init__(self, most: int, *, max_share: float = 1.0) -> None:
        """At most about so many, of which one client has no more than a share; the last piece may exceed both."""
        self._most = most
        self._most_of_one = most * max_share
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, client: str) -> "Holding":
        """Nothing yet, for a response to this client.

        Raises:
            TooBusy: there is no room.
        """
        with self._lock:
            is_share_used = self._held[client] >= self._most_of_one
            if not self._has_room(client):
                raise TooBusy(_RETRY_SECS, is_share_used=is_share_used)
        return Holding(self, client)

    def add(self, client: str, count: int) -> bool:
        """Count so many more, or fewer; returns whether there is room for more."""
        with self._lock:
            self._held[client] += count
            has_room = self._has_room(client)
            if not self._held[client]:
                del self._held[client]
            return has_room

    def _has_room(self, client: str) -> bool:
        return self._held.total() < self._most and self._held[client] < self._most_of_one


class Holding:
    """The bytes of one response."""

    def __init__(self, all_bytes: HeldBytes, client: str) -> None:
        self._all = all_bytes
        self._client = client
        self._count = 0

    def add(self, count: int) -> bool:
        """Hold so many more; returns whether there is room for more."""
        self._count += count
        return self._all.add(self._client, count)

    def release(self) -> None:
        """The client has them, or has gone."""
        count, self._count = self._count, 0
        self._all.add(self._client, -count)

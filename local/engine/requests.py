"""The requests being served: ids in use, reads whose client has disconnected, and the limit of concurrent ones."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.engine.errors import QUERY_ID_IS_RUNNING, TOO_MANY_QUERIES, EngineError

_POLL_SECS = 0.1
_POLL_HANG_UP = getattr(select, "POLLRDHUP", select.POLLHUP)  # outside Linux, POLLHUP means the same


class Requests:
    """Shared by all threads that serve requests."""

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._changed = threading.Condition()
        self._query_ids: set[str] = set()
        self._reads: dict[str, int] = {}

    @contextmanager
    def claim(self, query_id: str) -> Iterator[None]:
        """Hold a query id from before the body is read until the response is sent.

        Raises:
            EngineError: another request holds it, or too many are running.
        """
        with self._changed:
            if query_id in self._query_ids:
                raise EngineError.refused(
                    QUERY_ID_IS_RUNNING,
                    f"Query with id = {query_id} is already running.",
                    "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                )
            if len(self._query_ids) >= self._max_running:
                raise EngineError.refused(
                    TOO_MANY_QUERIES, "Too many simultaneous queries.", "TOO_MANY_SIMULTANEOUS_QUERIES"
                )
            self._query_ids.add(query_id)
        try:
            yield
        finally:
            with self._changed:
                self._query_ids.remove(query_id)
                self._changed.notify_all()

    @contextmanager
    def stopped_on_hang_up(self, query_id: str, descriptor: int) -> Iterator[None]:
        """Stop this query if the client at that socket disconnects. Only for reads: a write is finished."""
        with self._changed:
            self._reads[query_id] = descriptor
        try:
            yield
        finally:
            with self._changed:
                del self._reads[query_id]

    def wait_until_idle(self, timeout_secs: float) -> bool:
        """Wait until no request is running; returns whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._query_ids, timeout_secs)

    def watch(self, stop_query: Callable[[str], None], is_stopping: threading.Event) -> None:
        """Stop the queries of clients that disconnected, until stopped. Runs in a thread of its own."""
        while not is_stopping.wait(_POLL_SECS):
            for query_id in self._abandoned():
                try:
                    stop_query(query_id)
                except EngineError as error:  # it keeps running; others may still be stopped
                    print(f"Query {query_id} was abandoned and could not be stopped: {error}", flush=True)

    def _abandoned(self) -> list[str]:
        with self._changed:  # held while polling, so that no descriptor is closed and given to another
            poll = select.poll()
            for descriptor in self._reads.values():
                poll.register(descriptor, _POLL_HANG_UP)
            gone = {descriptor for descriptor, _ in poll.poll(0)} if self._reads else set()
            return [query_id for query_id, descriptor in self._reads.items() if descriptor in gone]

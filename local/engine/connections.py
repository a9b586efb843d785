"""Connections to the engine, each prepared for a session."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chdb

from local.engine.statement import Session

_MOST_IDLE = 16  # each is a thread


class Connections:
    """Opens a connection for each statement, or takes one that has run a read for such a session before.

    Opening and preparing one takes as long as a small query. A read changes nothing of its session, so the next one
    finds what a new connection would have. Shared by threads.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._idle: deque[tuple[Session, Any]] = deque()

    @contextmanager
    def prepared(self, session: Session, *, is_read: bool) -> Iterator[Any]:
        """A connection for one statement of this session. It is closed if that fails, or is no read."""
        last, connection = self._take(session) if is_read else (None, None)
        statements = session.statements() if last is None else session.changes(last)
        connection = connection or chdb.connect(self._address)
        try:
            for sql in statements:
                connection.query(sql)
            yield connection
        except BaseException:
            connection.close()
            raise
        if is_read and session.can_be_changed:
            self._keep(session, connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for _, connection in idle:
            connection.close()

    def _take(self, session: Session) -> tuple[Session | None, Any]:
        """The last session of an idle connection of this kind, and the connection; None if there is none."""
        kind = session.kind
        with self._lock:
            for number, (last, connection) in enumerate(self._idle):
                if last.kind == kind:
                    del self._idle[number]
                    return last, connection
        return None, None

    def _keep(self, session: Session, connection: Any) -> None:
        with self._lock:
            self._idle.appendleft((session, connection))
            oldest = self._idle.pop()[1] if len(self._idle) > _MOST_IDLE else None
        if oldest is not None:
            oldest.close()

"""Unit tests stay inside their process: one that opens a connection fails, and loggers are left as they were."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

_LOGGERS = ("app", "kafka")
_GUARDED = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


class _SocketGuard:
    """Records every use of the network in this process; an audit hook cannot be removed, only ignored."""

    def __init__(self) -> None:
        self.is_on = False
        self.uses: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.is_on and event in _GUARDED:
            self.uses.append(f"{event} {arguments[1:]}")
            raise RuntimeError(f"a unit test must not use the network: {self.uses[-1]}")


_guard = _SocketGuard()
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[list[str]]:
    """Fails the test, also when the code under test swallowed the error or ran in another thread."""
    _guard.uses = []
    _guard.is_on = True
    yield _guard.uses
    _guard.is_on = False
    assert not _guard.uses, "the test used the network"


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """Programs under test set up their log for as long as they run, which here is one test."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, propagates) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.propagate = handlers, propagates

"""Reads that are made once for several live tails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from app.errors import Abandoned, TryAgainLater
from app.query.shared_reads import SharedReads
from tests.fakes import Clock


class Table:
    """Returns the number of the read; the first one waits until it may go on, and then fails if it has an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.reads = 0
        self.has_begun, self.may_go_on = Event(), Event()
        self._error = error

    def read(self) -> int:
        self.reads += 1
        number = self.reads
        if number == 1:
            self.has_begun.set()
            assert self.may_go_on.wait(10)
            if self._error is not None:
                raise self._error
        return number


def test_what_was_read_is_for_all_who_ask_until_it_is_old() -> None:
    clock, numbers = Clock(), count(1)
    reads = SharedReads(clock)

    def read(key: str) -> int:
        return reads.read(key, lambda: next(numbers), fresh_secs=1)

    assert [read("a"), read("a"), read("b")] == [1, 1, 2]
    clock.advance(1.5)
    assert read("a") == 3


def test_who_asks_meanwhile_waits_for_the_same_read() -> None:
    table, reads = Table(), SharedReads(Clock())

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(reads.read, "", table.read, fresh_secs=1)
        assert table.has_begun.wait(10)
        second = threads.submit(reads.read, "", table.read, fresh_secs=1)
        table.may_go_on.set()

        assert (first.result(10), second.result(10), table.reads) == (1, 1, 1)


def test_an_error_is_not_kept() -> None:
    table, reads = Table(TryAgainLater("no", code="1")), SharedReads(Clock())
    table.may_go_on.set()

    with pytest.raises(TryAgainLater):
        reads.read("", table.read, fresh_secs=1)
    assert reads.read("", table.read, fresh_secs=1) == 2


def test_who_waits_for_a_client_that_goes_reads_itself() -> None:
    table, reads = Table(Abandoned()), SharedReads(Clock())

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(reads.read, "", table.read, fresh_secs=1)
        assert table.has_begun.wait(10)
        second = threads.submit(reads.read, "", table.read, fresh_secs=1)
        table.may_go_on.set()

        assert second.result(10) == 2
        with pytest.raises(Abandoned):
            first.result(10)

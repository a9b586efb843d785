"""Rows are removed for good, whenever the command is killed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from app.commands.delete import delete_in_words
from app.errors import TryAgainLater
from app.maintenance.removal import OfUser, Selection, Waiting, remove_now
from tests.fakes import Clock
from tests.support.revised_table import Killed

SENT = frozenset({("u", 1), ("u", 2), ("other", 3), ("u", 4)})


class MemoryRows:
    """See `maintenance.removal.RemovableRows`: rows are a user and the time of their insert."""

    def __init__(self, kill_at: int | None = None, *, is_done: bool = False) -> None:
        self.rows = set(SENT)
        self.noted: set[tuple[str, int]] = set()
        self.deleting: set[tuple[str, int]] = set()
        self.asked = 0
        self.busy: list[list[str]] = []
        self.kill_at = kill_at
        self._is_done = is_done
        self.calls = 0

    def prepare(self) -> None:
        self._call(lambda: None)

    def now_ms(self) -> int:
        self._call(lambda: None)
        self.asked += 1
        return 4 if self.asked % 2 else 10_000  # ClickHouse's clock goes on meanwhile

    def running(self) -> Sequence[str]:
        self._call(lambda: None)
        return self.busy.pop(0) if self.busy else []

    def count(self, selection: Selection, before_ms: int | None = None) -> int:
        self._call(lambda: None)
        return len(self._of(selection, before_ms))

    def stored_by_day(self) -> Mapping[tuple[date, str], int]:
        return {}

    def note(self, selection: Selection, before_ms: int) -> None:
        self._call(lambda: self.noted.update(self._of(selection, before_ms)))

    def delete(self, selection: Selection, before_ms: int) -> None:
        def begin() -> None:
            self.deleting = self._of(selection, before_ms)

        self._call(begin)

    def is_deleting(self) -> bool:
        """ClickHouse deletes meanwhile, for one that was killed too."""
        is_deleting = bool(self.deleting)
        self.rows -= self.deleting
        self.deleting = set()
        self._call(lambda: None)
        return is_deleting

    def _of(self, selection: Selection, before_ms: int | None) -> set[tuple[str, int]]:
        assert isinstance(selection, OfUser)
        return {row for row in self.rows if row[0] == selection.user and (before_ms is None or row[1] < before_ms)}

    def _call(self, act: object) -> None:
        is_last = self.calls == self.kill_at
        self.calls += 1
        if not is_last or self._is_done:
            assert callable(act)
            act()
        assert self.rows | self.noted >= SENT  # neither stored nor noted would be stored again
        if is_last:
            raise Killed


def remove_from(table: MemoryRows, clock: Clock | None = None) -> int:
    time = clock or Clock()
    return remove_now(table, OfUser("u"), Waiting(lambda: time.now, time.advance, patience_secs=10))


@pytest.mark.parametrize("is_done", [False, True])
def test_it_may_be_killed_at_any_call_and_run_again(is_done: bool) -> None:
    for at in itertools.count():
        table = MemoryRows(at, is_done=is_done)
        try:
            remove_from(table)
        except Killed:
            table.kill_at, table.asked = None, 0
        else:
            assert at > 4  # it has reached each call
            return

        assert remove_from(table) == 1

        assert table.rows == {("other", 3), ("u", 4)}
        assert table.noted == {("u", 1), ("u", 2)}


def test_inserts_that_are_running_are_waited_for() -> None:
    table, clock = MemoryRows(), Clock()
    table.busy = [["a", "b"], ["a", "c"], ["c"]]
    before = clock.now

    remove_from(table, clock)

    assert clock.now > before
    assert table.busy == []


def test_an_insert_that_does_not_end_stops_it_before_anything_is_deleted() -> None:
    table = MemoryRows()
    table.busy = [["a"]] * 1000

    with pytest.raises(TryAgainLater):
        remove_from(table)
    assert table.rows == SENT
    assert not table.noted


def test_without_a_confirmation_logs_are_only_counted() -> None:
    table, lines = MemoryRows(), list[str]()

    assert delete_in_words(table, OfUser("u"), is_confirmed=False, say=lines.append) == 0

    assert lines[0] == "3 logs of the user 'u'."
    assert lines[-1] == "Nothing was deleted. To delete them for good, add --yes."
    assert table.rows == SENT


def test_what_was_stored_meanwhile_is_reported() -> None:
    table, lines = MemoryRows(), list[str]()

    assert delete_in_words(table, OfUser("u"), is_confirmed=True, say=lines.append) == 0

    assert "1 log of them were stored in the meantime: run the command again." in lines
    assert table.rows == {("other", 3), ("u", 4)}

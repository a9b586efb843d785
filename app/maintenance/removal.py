"""Removes stored rows on purpose, so that recovery and the audit know. May be killed at any moment, and run again.

First the positions of the rows are noted in a table of their own, then the rows are deleted. What is noted counts as
stored: a record that is read again, because an offset was set back, is not stored again, and the audit does not miss
it. Rows that are stored meanwhile are left: only those of before a moment are removed, once all inserts have ended that
were running then. A killed command has noted rows that it has not deleted, which does no harm.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from app.errors import TryAgainLater
from app.pipeline.delivery import MARGIN_SECS

_CHECK_EVERY_SECS: Final = 0.2


class OfUser(Struct, frozen=True):
    """All rows of a user; `with_mentions` those too that have the name anywhere in message, attributes or raw text."""

    user: str
    with_mentions: bool = False


class OfServices(Struct, frozen=True):
    """All rows of some services with a Timestamp of one day (UTC)."""

    day: date
    services: Sequence[str]


Selection: TypeAlias = OfUser | OfServices


class RemovableRows(Protocol):
    """The table of logs, as rows are removed from it. Every call may raise TryAgainLater.

    `before_ms` limits a selection to rows whose insert began before that time, by ClickHouse's clock.
    """

    def prepare(self) -> None:
        """Create the table of positions if it is missing."""

    def now_ms(self) -> int:
        """ClickHouse's clock, Unix time in milliseconds."""

    def running(self) -> Sequence[str]:
        """Names of the service's inserts that are running."""

    def count(self, selection: Selection, before_ms: int | None = None) -> int:
        """The number of rows."""

    def stored_by_day(self) -> Mapping[tuple[date, str], int]:
        """The number of rows of each day (UTC) and service."""

    def note(self, selection: Selection, before_ms: int) -> None:
        """Note the positions of rows."""

    def delete(self, selection: Selection, before_ms: int) -> None:
        """Begin to delete rows, from disk too. ClickHouse goes on with it whatever becomes of the caller."""

    def is_deleting(self) -> bool:
        """Whether such a deletion is not over.

        Raises:
            TryAgainLater: also if ClickHouse says that it fails.
        """


class Waiting(Struct, frozen=True):
    """How to wait. An insert that began runs as long as ClickHouse needs, but nobody waits for one for longer."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    patience_secs: float = 300.0


def remove_now(table: RemovableRows, selection: Selection, waiting: Waiting) -> int:
    """Remove rows that are stored by now. Returns how many more were stored in the meantime.

    Raises:
        TryAgainLater: ClickHouse does not answer, or an insert runs for too long.
    """
    table.prepare()
    remove(table, selection, settled_ms(table, waiting), waiting)
    return table.count(selection)


def settled_ms(table: RemovableRows, waiting: Waiting) -> int:
    """A moment by ClickHouse's clock: the inserts that began before it are over.

    Raises:
        TryAgainLater: ClickHouse does not answer, or an insert runs for too long.
    """
    # In this order: an insert that begins later has rows of a later time, and one that began before is listed. The
    # margin is for a clock that is set back between noting and deleting.
    before_ms = table.now_ms()
    pending = set(table.running())
    deadline = waiting.clock() + waiting.patience_secs
    while pending or table.now_ms() < before_ms + MARGIN_SECS * 1000:
        if waiting.clock() > deadline:
            raise TryAgainLater(f"an insert is running for more than {waiting.patience_secs:.0f} s", code="busy")
        waiting.sleep(_CHECK_EVERY_SECS)
        pending &= set(table.running())
    return before_ms


def remove(table: RemovableRows, selection: Selection, before_ms: int, waiting: Waiting) -> None:
    """Remove rows of before a settled moment, and wait until queries no longer see them. The table must be prepared.

    Raises:
        TryAgainLater: ClickHouse does not answer, or cannot delete the rows.
    """
    table.note(selection, before_ms)
    table.delete(selection, before_ms)
    wait_until_deleted(table, waiting)


def wait_until_deleted(table: RemovableRows, waiting: Waiting) -> None:
    """Wait for deletions that have begun, of an earlier run too: as long as ClickHouse needs to write parts anew.

    Raises:
        TryAgainLater: ClickHouse does not answer, or cannot delete the rows.
    """
    while table.is_deleting():
        waiting.sleep(_CHECK_EVERY_SECS)

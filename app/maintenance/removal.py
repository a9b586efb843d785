"""Removes stored rows on purpose, so that recovery and the audit know. May be killed at any moment, and run again.

First the positions of the rows are noted in a table of their own, then the rows are deleted. What is noted counts as
stored: a record that is read again, because an offset was set back, is not stored again, and the audit does not miss
it. Rows that are stored meanwhile are left: only those of before a moment are removed, once all inserts have ended that
were running then. A killed command has noted rows that it has not deleted, which does no harm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol, TypeAlias

from app.errors import TryAgainLater
from app.pipeline.delivery import MARGIN_SECS

_CHECK_EVERY_SECS: Final = 0.2


@dataclass(frozen=True, slots=True)
class OfUser:
    """All rows of a user; `with_mentions` those too that have the name anywhere in message, attributes or raw text."""

    user: str
    with_mentions: bool = False


@dataclass(frozen=True, slots=True)
class OfServices:
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

    def days(self, before: date) -> Sequence[tuple[date, str, int]]:
        """Days before this one, with a service and the number of its rows."""

    def note(self, selection: Selection, before_ms: int) -> None:
        """Note the positions of rows."""

    def delete(self, selection: Selection, before_ms: int) -> None:
        """Delete rows, and wait until queries no longer see them."""


def remove_now(
    table: RemovableRows,
    selection: Selection,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    patience_secs: float,
) -> int:
    """Remove rows that are stored by now. Returns how many more were stored in the meantime.

    Raises:
        TryAgainLater: ClickHouse does not answer, or an insert runs for longer than `patience_secs`.
    """
    table.prepare()
    # In this order: an insert that begins later has rows of a later time, and one that began before is listed. The
    # margin is for a clock that is set back between noting and deleting.
    before_ms = table.now_ms()
    pending = set(table.running())
    deadline = clock() + patience_secs
    while pending or table.now_ms() < before_ms + MARGIN_SECS * 1000:
        if clock() > deadline:
            raise TryAgainLater(f"an insert is running for more than {patience_secs:.0f} s", code="busy")
        sleep(_CHECK_EVERY_SECS)
        pending &= set(table.running())
    remove(table, selection, before_ms)
    return table.count(selection)


def remove(table: RemovableRows, selection: Selection, before_ms: int) -> None:
    """Remove rows of before a time at which no insert was running that still is. The table must be prepared.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    table.note(selection, before_ms)
    table.delete(selection, before_ms)

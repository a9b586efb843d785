"""An in-memory RevisedTable, and one that is killed at a chosen call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import Rows
from app.errors import Refused
from app.maintenance.tables import FlaggedRow


@dataclass(frozen=True, eq=False)
class StoredRow:
    """A row with its revision."""

    columns: dict[str, Any]
    revision: int

    @property
    def version(self) -> Version:
        """Its identity."""
        columns = self.columns
        place = Place(columns["_topic_id"], columns["_partition"], columns["_offset"])
        return Version(place, columns["_item"], columns["_items"], self.revision)


class MemoryRevisions:
    """See `maintenance.tables.RevisedTable`."""

    def __init__(self) -> None:
        self.stored: list[StoredRow] = []
        self.noted: set[RemovedRow] = set()
        """Rows that were removed on purpose, or are about to be."""
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _row: False
        self.on_change: Callable[[], None] = lambda: None
        """Called after each change of the rows."""

    def add(self, rows: Rows, revision: int = 0) -> None:
        """Store rows."""
        self.stored += [StoredRow(row, revision) for row in rows.to_pylist()]
        self.on_change()

    def flagged(self, limit: int) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        return sorted({row.version.place for row in self.stored if row.columns["ParseError"]})[:limit]

    def unfinished(self) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        revised = {row.version.place for row in self.stored if row.revision}
        noted = {row.place for row in self.noted}
        return sorted(place for place in revised if place in noted or self._has_several(self.versions([place])))

    def rows(self, places: Sequence[Place]) -> Sequence[FlaggedRow]:
        """See `maintenance.tables.RevisedTable`."""
        return [
            flagged_row(row.columns) for row in self.stored if row.version.place in places and row.columns["ParseError"]
        ]

    def versions(self, places: Sequence[Place]) -> Sequence[Version]:
        """See `maintenance.tables.RevisedTable`."""
        return [row.version for row in self.stored if row.version.place in places]

    def removed(self, places: Sequence[Place]) -> Set[RemovedRow]:
        """See `maintenance.tables.RevisedTable`."""
        return {row for row in self.noted if row.place in places}

    def new_revision(self) -> int:
        """See `maintenance.tables.RevisedTable`."""
        return max((row.revision for row in self.stored), default=0) + 1

    def store(self, rows: Rows, revision: int) -> None:
        """See `maintenance.tables.RevisedTable`."""
        if any(self.refuses(row) for row in rows.to_pylist()):
            raise Refused("a row is refused", code="27")
        self.add(rows, revision)

    def delete(self, rows: Sequence[Version]) -> None:
        """See `maintenance.tables.RevisedTable`."""
        self.stored = [row for row in self.stored if row.version not in set(rows)]
        self.on_change()

    @staticmethod
    def _has_several(versions: Sequence[Version]) -> bool:
        return len(versions) > len({row.item for row in versions}) or len({row.items for row in versions}) > 1


def flagged_row(columns: dict[str, Any]) -> FlaggedRow:
    """A row as the table returns it."""
    return FlaggedRow(
        Place(columns["_topic_id"], columns["_partition"], columns["_offset"]),
        columns["_topic"],
        columns["_item"],
        columns["_items"],
        columns["ParseError"],
        columns["Timestamp"].value // 10**6,
        columns["ServiceName"],
        columns["Body"].encode(),
        columns["_raw"],
        dict(columns["LogAttributes"]),
        dict(columns["ResourceAttributes"]),
    )


class Killed(BaseException):
    """kill -9."""


class Dying:
    """A table whose user is killed at its call number `at`: before it, after it, or when half of an insert is done.

    A half insert is what ClickHouse keeps of one over several days.
    """

    def __init__(self, table: MemoryRevisions, at: int, how: str) -> None:
        self._table = table
        self._at = at
        self._how = how
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls - 1 != self._at:
                return getattr(self._table, name)(*arguments)
            if self._how == "half" and name == "store":
                rows, revision = arguments
                self._table.store(rows.take(list(range(1, rows.num_rows, 2))), revision)
            elif self._how != "before":
                getattr(self._table, name)(*arguments)
            raise Killed

        return call


def versions_in(rows: Iterable[StoredRow]) -> list[Version]:
    """Their identities, sorted."""
    return sorted(row.version for row in rows)

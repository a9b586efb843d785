"""`python -m app reprocess` in the simulation: the shipped run over SimTable, killed and disturbed between calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import Rows
from app.errors import Refused, TryAgainLater
from app.maintenance.tables import FlaggedRow
from tests.simulation.rows import Row, is_refused, rows_in
from tests.simulation.table import SimTable
from tests.support.revised_table import Killed

_IS_KILLED = 0.04


@dataclass(slots=True)
class SimRevisions:
    """See `maintenance.tables.RevisedTable`. `between` is what happens before each call; None leaves it undisturbed."""

    table: SimTable
    rng: random.Random
    between: Callable[[], None] | None
    has_stored: bool = False

    def flagged(self, limit: int) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        return self._places(lambda rows: any(row.problem for row in rows))[:limit]

    def unfinished(self) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        return self._places(self._is_unfinished)

    def rows(self, places: Sequence[Place]) -> Sequence[FlaggedRow]:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        return [_flagged(row) for row in self._rows(places) if row.problem]

    def versions(self, places: Sequence[Place]) -> Sequence[Version]:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        return [_version(row) for row in self._rows(places)]

    def removed(self, places: Sequence[Place]) -> Set[RemovedRow]:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        found = (row for place in places for row in self.table.removed.get(place, {}).values())
        return {RemovedRow(Place(*row.identity[:3]), row.identity.item, row.items) for row in found}

    def new_revision(self) -> int:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        last = max((row.revision for rows in self.table.records.values() for row in rows), default=0)
        return max(int(self.table.now * 1000), last + 1)

    def store(self, rows: Rows, revision: int) -> None:
        """See `maintenance.tables.RevisedTable`. It may store a part only, or land when nobody waits for it."""
        self._disturb()
        if any(is_refused(row) for row in rows.select(["Body", "ParseError", "_raw"]).to_pylist()):
            raise Refused("a row is refused", code="27")
        new = [row._replace(revision=revision, ingested=self.table.clock()) for row in rows_in(rows)]
        self.has_stored = True
        chance = self.rng.random() if self.between else 1.0
        # Excluded: an insert lands after a later run has stored a part, and after the original was deleted.
        if chance < 0.1 and not self.table.late:
            self.table.store_anew([row for row in new if row.day])
        elif chance < 0.55:
            self.table.late.append(new)
        else:
            self.table.store_anew(new)
        if chance < 0.6:
            raise TryAgainLater("no answer", code="unreachable", is_outcome_unknown=True)

    def delete(self, rows: Sequence[Version]) -> None:
        """See `maintenance.tables.RevisedTable`."""
        self._disturb()
        self.table.erase(lambda row: _version(row) in rows)

    def _disturb(self) -> None:
        if self.between is not None:
            if self.rng.random() < _IS_KILLED:
                raise Killed
            self.between()

    def _places(self, is_wanted: Callable[[Sequence[Row]], bool]) -> list[Place]:
        return sorted(Place(*key) for key, rows in self.table.records.items() if is_wanted(rows))

    def _rows(self, places: Iterable[Place]) -> list[Row]:
        return [row for place in places for row in self.table.of_record(*place)]

    def _is_unfinished(self, rows: Sequence[Row]) -> bool:
        if not any(row.revision for row in rows):
            return False
        has_several = len({row.identity for row in rows}) < len(rows) or len({row.items for row in rows}) > 1
        return has_several or rows[0].identity[:3] in self.table.removed


def _version(row: Row) -> Version:
    return Version(Place(*row.identity[:3]), row.identity.item, row.items, row.revision)


def _flagged(row: Row) -> FlaggedRow:
    place = Place(*row.identity[:3])
    return FlaggedRow(place, "logs", row.identity.item, row.items, row.problem, 0, "", b"", row.raw, {}, {})

"""Stores rejected rows anew that today's parser understands. May be killed at any moment, and run again.

For a batch of records: insert the new rows beside the old ones, see them in the table, delete the old ones. Between
insert and delete a query sees both, never none. `domain/revisions.py` tells which are old; a run begins with those that
an earlier one has left. Ingestion may go on meanwhile: to it the identity of the rows says that the record is stored.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, field

from app.domain.records import OneRecord
from app.domain.revisions import Place, RemovedRow, made_of_removed, superseded
from app.domain.rows import Rows, concatenate
from app.errors import Refused
from app.maintenance.replacements import Decode, Left, replacements
from app.maintenance.tables import RevisedTable

BATCH_RECORDS: Final = 2_000
"""Few enough that what a batch inserts and deletes is in memory, and in one statement."""


class Reprocessed(Struct):
    """What a run has done: rows stored anew, old rows deleted that an earlier run had left, and rows left as they are.

    `new_rows` are more than `restored` if a record has become several rows.
    """

    restored: int = 0
    new_rows: int = 0
    finished: int = 0
    left: dict[Left, int] = field(default_factory=lambda: dict.fromkeys(Left, 0))


class Reprocessing:
    """One run over a table."""

    def __init__(self, table: RevisedTable, read_record: Callable[[Place], OneRecord | None], decode: Decode) -> None:
        self._table = table
        self._read_record = read_record
        self._decode = decode
        self.outcome = Reprocessed()

    def run(self, limit: int, *, on_batch: Callable[[Reprocessed], object] = lambda _: None) -> None:
        """Store anew what is understood of up to `limit` records; calls `on_batch` after each batch.

        Raises:
            TryAgainLater: Kafka or ClickHouse does not answer. What is done stays, and the command can be run again.
        """
        for batch in _batches(self._table.unfinished()):
            self.outcome.finished += self._delete_old(batch)
        revision = self._table.new_revision()
        for batch in _batches(self._table.flagged(limit)):
            self._reprocess(batch, revision)
            on_batch(self.outcome)

    def _reprocess(self, batch: Sequence[Place], revision: int) -> None:
        records = {place: record for place in batch if (record := self._read_record(place)) is not None}
        removed = self._table.removed(batch)
        flagged = [row for row in self._table.rows(batch) if RemovedRow(row.place, row.item, row.items) not in removed]
        found = replacements(flagged, records, self._decode)
        for reason, count in found.left.items():
            self.outcome.left[reason] += count
        if found.records:
            self._store(found.records, revision)
            self._delete_old(batch)

    def _store(self, records: Sequence[tuple[Rows, int]], revision: int) -> None:
        """Store the rows of these records; if one is refused, those of the others."""
        rows = concatenate([rows for rows, _ in records])
        replaced = sum(count for _, count in records)
        try:
            self._table.store(rows, revision)
        except Refused:
            if len(records) == 1:
                self.outcome.left[Left.REFUSED] += replaced
                return
            half = len(records) // 2
            self._store(records[:half], revision)
            self._store(records[half:], revision)
        else:
            self.outcome.restored += replaced
            self.outcome.new_rows += rows.num_rows

    def _delete_old(self, batch: Sequence[Place]) -> int:
        """Delete the old rows of those that the table shows to be stored anew; returns how many.

        A row may have been removed on purpose since it was read. Then its successor goes too.
        """
        versions, removed = self._table.versions(batch), self._table.removed(batch)
        old = [*superseded(versions, removed), *made_of_removed(versions, removed)]
        if old:
            self._table.delete(old)
        return len(old)


def _batches(places: Sequence[Place]) -> Sequence[Sequence[Place]]:
    return [places[first : first + BATCH_RECORDS] for first in range(0, len(places), BATCH_RECORDS)]

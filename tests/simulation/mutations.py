"""The protocol with one step removed at a time. The simulation must detect each mutation; otherwise it is unneeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from app.domain.reader import REST_ITEM
from app.domain.records import Lease, Partition, Position, RecordChunk
from app.domain.revisions import Place, RemovedRow
from app.domain.rows import Rows
from app.errors import KafkaCode, MustRejoin, TryAgainLater
from app.maintenance.reprocess import Reprocessing
from app.pipeline.batch import Batch
from app.pipeline.delivery import Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.pipeline.task import Steps
from tests.simulation.instance import Parts
from tests.simulation.reprocess import SimRevisions
from tests.simulation.rows import Identity, Row, days_of, identities_of
from tests.simulation.run import FIRST_REMOVING_SEED
from tests.simulation.table import Insert, RecordKey, SimWriter

if TYPE_CHECKING:
    from app.pipeline.delivery import RefusedRows, _BatchLease


class _NoWaitForOthers(Delivery):
    """Takes over partitions without waiting for the end of an open lease."""

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        return (yield from super().recover(partition, position._replace(lease=None, is_set_by_others=False)))


class _NoWaitWhenSetByOthers(Delivery):
    """Assumes that no insert is in flight if another client has set the offset."""

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        return (yield from super().recover(partition, position._replace(is_set_by_others=False)))


class _NoWaitForOwn(Delivery):
    """Checks the table immediately after an insert of unknown outcome."""

    _own = ""

    def _wait_out(self, token: str | None, deadline_ms: int) -> Steps[None]:
        if token != self._own:
            yield from super()._wait_out(token, deadline_ms)

    def _take_lease(self, batch: Batch) -> Steps[_BatchLease]:
        lease = yield from super()._take_lease(batch)
        self._own = lease.token
        return lease


class _NoCheck(Delivery):
    """Resends everything after an insert of unknown outcome."""

    def _missing(self, rows: Rows) -> Steps[Rows]:
        return rows
        yield  # type: ignore[unreachable] # makes it a generator


class _HalvesUnchecked(Delivery):
    """Halves a refused batch as it was before the check, so that a record can be in two halves."""

    def _insert_missing(self, rows: Rows, batch: Batch, *, must_check: bool) -> Steps[RefusedRows | None]:
        refused = yield from super()._insert_missing(rows, batch, must_check=must_check)
        return refused and refused._replace(rows=rows)


class _OldLease(Delivery):
    """Reuses the first lease of a batch, with its token and deadline."""

    _first: tuple[Batch, _BatchLease] | None = None

    def _take_lease(self, batch: Batch) -> Steps[_BatchLease]:
        if self._first is None or self._first[0] is not batch:
            self._first = batch, (yield from super()._take_lease(batch))
        return self._first[1]

    def _is_worth_an_insert(self, lease: _BatchLease) -> bool:
        return True


class _UnseenRunning(SimWriter):
    """Does not check whether the insert is still running."""

    def running(self) -> Set[str]:
        return set()


class _RunningFirst(Delivery):
    """Reads the time last, so that an insert can begin between the two queries."""

    def _running_inserts(self) -> tuple[int, Set[str]]:
        running = self._writer.running()
        return self._writer.now_ms(), running


class _LeaseNotCommitted(Progress):
    """Inserts without committing a lease first."""

    def lease(self, leases: Mapping[Partition, Lease]) -> None:
        self.commit()


class _EarlyRelease(Progress):
    """Releases a lease when it stops, although the outcome of the insert is unknown."""

    def commit(self) -> bool:
        self.release()
        return super().commit()


class _GoesOnAfterUnknownCommit(Progress):
    """Repeats a commit of unknown outcome and continues as the same member."""

    def _commit_news(self, leases: Mapping[Partition, Lease]) -> bool:
        try:
            return super()._commit_news(leases)
        except MustRejoin as error:
            raise TryAgainLater(str(error), code=KafkaCode.TIMEOUT) from error


class _NoLastOffset(SimWriter):
    """Does not query the table for the last stored offset."""

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        return None


class _OneServersClock(SimWriter):
    """Takes the clock of whichever server answers for that of all."""

    def _clock(self) -> float:
        servers = self._table.servers
        return servers.clock_of(servers.any(), self._table.now)


class _OneServersInserts(SimWriter):
    """Asks only one server which inserts are running."""

    def _running_inserts(self) -> Sequence[Insert]:
        server = self._table.servers.any()
        return [insert for insert in self._table.running if insert.server == server]


class _OneServersRows(SimWriter):
    """Asks only one server, which may not have the newest rows yet."""

    def _rows_of(self, records: Sequence[RecordKey]) -> list[Row]:
        servers = self._table.servers
        server = servers.any()
        return [row for row in super()._rows_of(records) if servers.has(server, row.identity)]


class _KeepsGathered(Ingest):
    """Keeps gathered rows when partitions are reassigned."""

    def _take_assignment(self, positions: Mapping[Partition, Position]) -> None:
        kept = self._gathering
        self._gathering = type(kept)(kept._limits)
        super()._take_assignment(positions)
        self._gathering = kept


class _KeepsRest(Ingest):
    """Keeps the rest of a poll when partitions are reassigned."""

    def _take_assignment(self, positions: Mapping[Partition, Position]) -> None:
        kept = list(self._undecoded._pieces)
        super()._take_assignment(positions)
        self._undecoded._pieces.extend(kept)


class _PieceEndsWithItsChunk(Ingest):
    """Goes on behind a whole chunk when a piece of it is stored."""

    def _add(self, chunk: RecordChunk, since: float) -> None:
        own = [piece.chunk.next_offset for piece in self._undecoded._pieces if piece.chunk.partition == chunk.partition]
        super()._add(replace(chunk, next_offset=max([chunk.next_offset, *own])), since)


class _ChecksNearTimes(SimWriter):
    """Searches rows only near the times that this version of the decoder gives them."""

    _days: Mapping[Identity, int]

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        self._days = dict(zip(identities_of(rows), days_of(rows), strict=True))
        return super().missing(rows)

    def _found(self, records: Sequence[RecordKey]) -> list[Row]:
        return [row for row in super()._found(records) if self._days.get(row.identity) == row.day]


class _ByIdentity(SimWriter):
    """Inserts each row that the table does not hold, whoever has read the others of its record."""

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        stored = {row.identity for row in self._found(sorted({identity[:3] for identity in identities_of(rows)}))}
        return rows.filter(pa.array([identity not in stored for identity in identities_of(rows)], pa.bool_()))


class _AnyRowIsEnough(SimWriter):
    """Takes a record of which another version has stored a part for stored."""

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        return super().missing(rows).filter(pc.field("_item") != REST_ITEM)


class _RestUnseen(SimWriter):
    """Does not look for rows that finish a record."""

    def _found(self, records: Sequence[RecordKey]) -> list[Row]:
        return [row for row in super()._found(records) if row.identity.item != REST_ITEM]


class _RemovedUnseen(SimWriter):
    """Does not look for rows that were removed on purpose."""

    def _removed(self, records: Sequence[RecordKey]) -> list[Row]:
        return []


class _RemovedFirst(SimWriter):
    """Looks for removed rows before those that are there."""

    def _found_in_both(self, records: Sequence[RecordKey]) -> list[Row]:
        removed = self._removed(records)
        self._meanwhile_removed()
        return self._found(records) + removed


class _LastRemovedUnseen(SimWriter):
    """Asks only the rows that are there for the last stored offset."""

    def _last_removed(self, topic_id: str, partition: int) -> int | None:
        return None


class _DeletesUnseen(Reprocessing):
    """Deletes old rows without having seen in the table that all of the new ones are there."""

    def _delete_old(self, batch: Sequence[Place]) -> int:
        versions = self._table.versions(batch)
        newest = {row.place: row.revision for row in sorted(versions, key=lambda row: row.revision)}
        self._table.delete([row for row in versions if row.revision < newest[row.place]])
        return 0


class _NeverFinishes(SimRevisions):
    """Does not look for what an earlier run has left."""

    def unfinished(self) -> Sequence[Place]:
        """See `maintenance.tables.RevisedTable`."""
        return []


class _AnewThoughRemoved(SimRevisions):
    """Does not ask which rows were removed on purpose."""

    def removed(self, places: Sequence[Place]) -> Set[RemovedRow]:
        """See `maintenance.tables.RevisedTable`."""
        return set()


class Mutation(NamedTuple):
    """A mutation and a seed that detects it. `python -m tests.simulation --mutations` finds such seeds."""

    name: str
    parts: Parts
    seen_at: int


MUTATIONS = [
    Mutation("no wait for the lease of an earlier owner", Parts(delivery=_NoWaitForOthers), 3),
    Mutation("no wait if another client has set the offset", Parts(delivery=_NoWaitWhenSetByOthers), 6),
    Mutation("no wait for an own insert of unknown outcome", Parts(delivery=_NoWaitForOwn), 87),
    Mutation("no check before a repeated insert", Parts(delivery=_NoCheck), 0),
    Mutation("a lease is used for more than one insert", Parts(delivery=_OldLease), 0),
    Mutation("an insert that still runs is not seen", Parts(writer=_UnseenRunning), 37),
    Mutation("the time is read after the running inserts", Parts(delivery=_RunningFirst), 566),
    Mutation("no lease before the insert", Parts(progress=_LeaseNotCommitted), 6),
    Mutation("a lease ends with the instance", Parts(progress=_EarlyRelease), 19),
    Mutation("a commit of unknown outcome is repeated", Parts(progress=_GoesOnAfterUnknownCommit), 5925),
    Mutation("the table is not queried for its last offset", Parts(writer=_NoLastOffset), 0),
    Mutation("the clock is that of one server", Parts(writer=_OneServersClock), 26),
    Mutation("running inserts of one server only are seen", Parts(writer=_OneServersInserts), 14),
    Mutation("rows of one server only are seen", Parts(writer=_OneServersRows), 14),
    Mutation("rows are searched only at the times of this version", Parts(writer=_ChecksNearTimes), 0),
    Mutation("rows are inserted whoever has read the others of their record", Parts(writer=_ByIdentity), 5),
    Mutation("a record that another version stored in part is not finished", Parts(writer=_AnyRowIsEnough), 5),
    Mutation("rows that finish a record are not looked up", Parts(writer=_RestUnseen), 5),
    Mutation(
        "a refused batch is halved as before the check", Parts(delivery=_HalvesUnchecked), FIRST_REMOVING_SEED + 353
    ),
    Mutation("gathered rows survive a rebalance", Parts(ingest=_KeepsGathered), 45),
    Mutation("the rest of a poll survives a rebalance", Parts(ingest=_KeepsRest), 172),
    Mutation("a piece of a chunk ends where the chunk ends", Parts(ingest=_PieceEndsWithItsChunk), 0),
    Mutation("removed rows are not looked up", Parts(writer=_RemovedUnseen), FIRST_REMOVING_SEED + 1),
    Mutation("removed rows are looked up before the others", Parts(writer=_RemovedFirst), FIRST_REMOVING_SEED + 6),
    Mutation("the last offset ignores removed rows", Parts(writer=_LastRemovedUnseen), FIRST_REMOVING_SEED + 6),
    Mutation(
        "old rows are deleted before all new ones are seen", Parts(reprocessing=_DeletesUnseen), FIRST_REMOVING_SEED + 5
    ),
    Mutation("what a killed run has left is not finished", Parts(revisions=_NeverFinishes), FIRST_REMOVING_SEED + 5),
    Mutation(
        "rows are stored anew though they were removed", Parts(revisions=_AnewThoughRemoved), FIRST_REMOVING_SEED + 14
    ),
    Mutation("the server does not check the deadline", Parts(checks_deadline=False), 38),
]

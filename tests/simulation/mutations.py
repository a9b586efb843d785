"""The protocol with one of its means taken away at a time. Every one must be noticed, or it is not needed."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from app.domain.records import Lease, Partition, Position
from app.domain.rows import Rows
from app.errors import KafkaCode, MustRejoin, TryAgainLater
from app.pipeline.batch import Batch
from app.pipeline.delivery import Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.pipeline.task import Steps
from tests.simulation.instance import Parts
from tests.simulation.table import SimWriter, days_of, identities_of

if TYPE_CHECKING:
    from app.pipeline.delivery import _BatchLease


class _NoWaitForOthers(Delivery):
    """Takes partitions over without waiting for the end of an open lease."""

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        return (yield from super().recover(partition, position._replace(lease=None, is_set_by_others=False)))


class _NoWaitForForeign(Delivery):
    """Believes that nothing is on its way where somebody else has set the offset."""

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        return (yield from super().recover(partition, position._replace(is_set_by_others=False)))


class _NoWaitForOwn(Delivery):
    """Looks at once after an insert whose end nobody saw."""

    _own = ""

    def _wait_out(self, token: str | None, deadline_ms: int) -> Steps[None]:
        if token != self._own:
            yield from super()._wait_out(token, deadline_ms)

    def _take_lease(self, batch: Batch) -> Steps[_BatchLease]:
        lease = yield from super()._take_lease(batch)
        self._own = lease.token
        return lease


class _NoLook(Delivery):
    """Sends everything again after an insert whose end nobody saw."""

    def _missing(self, rows: Rows) -> Steps[Rows]:
        return rows
        yield  # type: ignore[unreachable] # makes it a generator


class _OldLease(Delivery):
    """Goes on under the first lease of a batch: its token and its deadline are used again."""

    _first: tuple[Batch, _BatchLease] | None = None

    def _take_lease(self, batch: Batch) -> Steps[_BatchLease]:
        if self._first is None or self._first[0] is not batch:
            self._first = batch, (yield from super()._take_lease(batch))
        return self._first[1]

    def _is_worth_an_insert(self, lease: _BatchLease) -> bool:
        return True


class _UnseenRunning(SimWriter):
    """Does not ask whether the insert is still running."""

    def running(self) -> Set[str]:
        return set()


class _RunningFirst(Delivery):
    """Asks for the time last, so that an insert can begin between the two questions."""

    def _running_inserts(self) -> tuple[int, Set[str]]:
        running = self._writer.running()
        return self._writer.now_ms(), running


class _LeaseUntold(Progress):
    """Inserts without telling Kafka before."""

    def lease(self, leases: Mapping[Partition, Lease]) -> None:
        self.commit()


class _EarlyRelease(Progress):
    """Tells Kafka that a lease has ended when it stops, though nobody saw the end."""

    def commit(self) -> bool:
        self.release()
        return super().commit()


class _GoesOnAfterUnknownCommit(Progress):
    """Repeats a commit of which it does not know whether it happened, and goes on as the same member."""

    def _commit_news(self, leases: Mapping[Partition, Lease]) -> bool:
        try:
            return super()._commit_news(leases)
        except MustRejoin as error:
            raise TryAgainLater(str(error), code=KafkaCode.TIMEOUT) from error


class _NoLastOffset(SimWriter):
    """Does not ask the table how far a partition is stored."""

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        return None


class _KeepsGathered(Ingest):
    """Keeps what it has gathered when partitions change hands."""

    def _take_assignment(self, positions: Mapping[Partition, Position]) -> None:
        kept = self._gathering
        self._gathering = type(kept)(kept._limits)
        super()._take_assignment(positions)
        self._gathering = kept


class _LooksAtTimes(SimWriter):
    """Looks for rows only near the times that this version of the decoder gives them."""

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        places = zip(identities_of(rows), days_of(rows), strict=True)
        return rows.filter(pa.array([self._table.days.get(identity) != day for identity, day in places], pa.bool_()))


class Mutation(NamedTuple):
    """What is missing, and a seed that shows it. `python -m tests.simulation --mutations` finds such seeds."""

    name: str
    parts: Parts
    seen_at: int


MUTATIONS = [
    Mutation("no wait for the lease of an earlier owner", Parts(delivery=_NoWaitForOthers), 6),
    Mutation("no wait where others have set the offset", Parts(delivery=_NoWaitForForeign), 6),
    Mutation("no wait for an own insert whose end was not seen", Parts(delivery=_NoWaitForOwn), 100),
    Mutation("no look before a repeat", Parts(delivery=_NoLook), 0),
    Mutation("a lease is used for more than one insert", Parts(delivery=_OldLease), 0),
    Mutation("an insert that still runs is not seen", Parts(writer=_UnseenRunning), 22),
    Mutation("the time is asked for after what runs", Parts(delivery=_RunningFirst), 566),
    Mutation("no lease before the insert", Parts(progress=_LeaseUntold), 17),
    Mutation("a lease ends with the instance", Parts(progress=_EarlyRelease), 339),
    Mutation("a commit of unknown outcome is repeated", Parts(progress=_GoesOnAfterUnknownCommit), 3066),
    Mutation("the table is not asked how far it is", Parts(writer=_NoLastOffset), 0),
    Mutation("rows are looked for only where this version would put them", Parts(writer=_LooksAtTimes), 5),
    Mutation("what was gathered outlives a rebalance", Parts(ingest=_KeepsGathered), 45),
    Mutation("the server does not look at the deadline", Parts(checks_deadline=False), 144),
]

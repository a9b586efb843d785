"""One run: a seed decides which faults happen when; then they end, and stored rows are compared with sent ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from app.domain.records import OneRecord
from app.domain.revisions import Place
from app.errors import TryAgainLater
from app.pipeline.commit_metadata import read_metadata, write_metadata
from app.pipeline.delivery import MARGIN_SECS, CompletedTokens
from tests.simulation.instance import DEADLINE_SECS, Instance, Parts
from tests.simulation.kafka import SimKafka
from tests.simulation.rows import REJECTING_VERSIONS, VERSIONS, decode, flaw_in, flaw_in_revised
from tests.simulation.servers import SimServers
from tests.simulation.table import RecordKey, SimTable
from tests.support.revised_table import Killed

SESSION_SECS = 15.0

_FAULTY_TICKS = 500
_DRAIN_TICKS = 10_000  # of several servers some refuse most inserts as late, and each time is waited out
_PARTITIONS = 3
_MAX_INSTANCES = 4
_REPROCESSED = 20
_AS_SHIPPED = Parts()

FIRST_REMOVING_SEED = 1_000_000
"""From this seed on rows are removed on purpose too, and stored anew."""

_Thing = TypeVar("_Thing")

Fault = tuple[str, Callable[[], bool]]
WeightedFault = tuple[int, str, Callable[[], bool]]


@dataclass(slots=True)
class Outcome:
    """The outcome of a run. `problem` is empty if everything is correct; `happened` counts each fault.

    `rests` counts the turns of the loop that left records undecoded.
    """

    seed: int
    problem: str = ""
    records: int = 0
    rests: int = 0
    happened: Counter[str] = field(default_factory=Counter)


class Run:
    """The world of one seed."""

    def __init__(self, seed: int, parts: Parts = _AS_SHIPPED) -> None:
        self._rng = random.Random(seed)
        self._parts = parts
        self._window = self._rng.choice((0, 6, 10_000))
        self._kafka = SimKafka(self._rng, _PARTITIONS)
        self._table = SimTable(
            self._rng,
            window=self._window,
            patience_secs=DEADLINE_SECS + MARGIN_SECS,
            checks_deadline=parts.checks_deadline,
            servers=SimServers(random.Random(f"servers {seed}"), 3 if seed % 3 == 2 else 1),
        )
        self._instances: list[Instance] = []
        self._dead: list[tuple[float, Instance]] = []
        self._values = 0
        self._sent: set[RecordKey] = set()
        self._deleted: set[RecordKey] = set()
        self._checked: dict[tuple[str, int], int] = {}
        self._seen_committed: dict[int, tuple[int, str]] = {}
        self._reported_lost: set[RecordKey] = set()
        self._is_draining = self._is_finished = False
        self._removes = seed >= FIRST_REMOVING_SEED
        self._versions = REJECTING_VERSIONS if self._removes else range(VERSIONS)
        self._version = self._versions[0]
        self.outcome = Outcome(seed)
        self._faults = _weighted(self._of_everything())
        self._faults_on_the_way = _weighted(self._of_sent())
        self._faults_while_running = _weighted(self._of_running())

    def play(self) -> Outcome:
        """Run it and verify the result."""
        try:
            for _ in range(2):
                self._spawn()
            for _ in range(_FAULTY_TICKS):
                self._tick()
            self._drain()
            self._verify()
        except AssertionError as problem:
            self.outcome.problem = str(problem) or "an assertion failed"
        return self.outcome

    def fault_names(self) -> set[str]:
        """Names of all faults."""
        return {
            name for faults in (self._faults, self._faults_on_the_way, self._faults_while_running) for name, _ in faults
        }

    # Ticks.

    def _tick(self) -> None:
        self._table.now += self._rng.choice((0.01, 0.05, 0.1, 0.1, 0.3))
        self._evict()
        self._table.let_senders_give_up()
        self._table.servers.turn()
        if self._rng.random() < 0.92:
            self._continue()
        else:
            self._happen(self._faults)
        self._check()

    def _happen(self, faults: Sequence[Fault]) -> None:
        name, act = self._any_of(faults)
        if act():
            self.outcome.happened[name] += 1

    def _continue(self) -> None:
        """A step that is no fault: an iteration, a response, progress of an insert, a record."""
        what = self._rng.random()
        if what < 0.08:
            self._produce()
        elif what < 0.23 and self._table.on_the_way:
            self._advance(self._faults_on_the_way, lambda: self._table.arrive(self._any_of(self._table.on_the_way)))
        elif what < 0.38 and (advancing := self._table.advancing):
            self._advance(self._faults_while_running, lambda: self._table.finish(self._any_of(advancing)))
        else:
            self._turn_one()

    def _advance(self, faults: Sequence[Fault], go_on: Callable[[], None]) -> None:
        if self._rng.random() < 0.3:
            self._happen(faults)
        else:
            go_on()

    def _turn_one(self) -> None:
        awake = [instance for instance in self._instances if not instance.is_paused]
        if awake:
            instance = self._any_of(awake)
            if instance.pending_calls and self._rng.random() < 0.6:
                instance.run_one_call()
            else:
                instance.step()
                self.outcome.rests += instance.has_rest

    def _any_of(self, things: Sequence[_Thing]) -> _Thing:
        return things[self._rng.randrange(len(things))]

    def _continue_undisturbed(self) -> None:
        """All that can get on does."""
        for insert in self._table.advancing:
            self._table.finish(insert)
        for insert in list(self._table.on_the_way):
            self._table.arrive(insert)
        [instance] = self._instances
        if instance.pending_calls:
            instance.run_one_call()
        instance.step()

    def _drain(self) -> None:
        """End the faults: start one fresh instance, and let requests in flight arrive."""
        self._is_draining = self._kafka.is_gentle = True
        for instance in list(self._instances):
            self._kill(instance, evicted_after_secs=0.0)
        while self._kafka.late_commits:
            self._kafka.land_commit(0)
        self._spawn()
        for _ in range(_DRAIN_TICKS):
            if self._is_drained():
                self._finish_reprocessing()
                return
            self._table.now += 0.5
            self._evict()
            self._table.let_senders_give_up()
            self._continue_undisturbed()
            self._check()
        raise AssertionError(f"not drained: {self._kafka.committed}, ends {[len(log.ids) for log in self._kafka.logs]}")

    def _finish_reprocessing(self) -> None:
        while self._land_late():
            pass
        if self._removes:
            table, read = (
                self._parts.revisions(self._table, self._rng, None),
                partial(decode, version=self._versions[-1]),
            )
            self._parts.reprocessing(table, self._record_at, read).run(self.outcome.records)
        self._is_finished = True

    def _is_drained(self) -> bool:
        if self._table.on_the_way or self._table.running:
            return False
        committed, topic_id = self._kafka.committed, self._kafka.topic_id
        return all(
            not log.ids or committed.get(number) == (len(log.ids), write_metadata(topic_id, None))
            for number, log in enumerate(self._kafka.logs)
        )

    # Verification.

    def _check(self) -> None:
        """Check the invariants that hold at every moment."""
        assert not self._table.doubles, f"stored twice: {self._table.doubles}"
        if self._kafka.committed == self._seen_committed:
            return
        self._seen_committed = dict(self._kafka.committed)
        for number, (offset, metadata) in self._seen_committed.items():
            if metadata and (remembered := read_metadata(metadata)) and remembered.topic_id == self._kafka.topic_id:
                self._check_stored(number, offset)

    def _check_stored(self, number: int, end: int) -> None:
        """Check that all committed offsets are stored."""
        log, checked = self._kafka.logs[number], self._checked.get((self._kafka.topic_id, number), 0)
        for offset in range(checked, end):
            self._check_record(number, offset, log.ids[offset])
        self._checked[self._kafka.topic_id, number] = max(checked, end)

    def _check_record(self, number: int, offset: int, value: int | None) -> None:
        topic_id = self._kafka.topic_id
        if value is not None and (topic_id, number, offset) not in self._deleted:
            key = (topic_id, number, offset)
            record, removed = self._table.whole_record(key), self._table.removed_of(key)
            if any(row.revision for row in (*record, *removed)):
                flaw = flaw_in_revised(self._table.of_record(*key), removed, is_final=self._is_finished)
            else:
                flaw = flaw_in(record) if record else "lost"
            assert not flaw, f"{flaw}: {number}/{offset}, {record}"

    def _verify(self) -> None:
        for number, log in enumerate(self._kafka.logs):
            for offset, value in enumerate(log.ids):
                self._check_record(number, offset, value)
        spurious = self._table.records.keys() - self._sent
        assert not spurious, f"nobody sent: {spurious}"
        unaccounted = self._deleted_unread() - self._reported_lost
        assert not unaccounted, f"deleted unread and not reported: {unaccounted}"

    def _deleted_unread(self) -> set[RecordKey]:
        sent = {key for key in self._sent if key[0] == self._kafka.topic_id}
        return (self._deleted & sent) - self._table.records.keys() - self._table.removed.keys()

    # Faults: weight, name and action. Each action returns whether it happened.

    def _of_everything(self) -> Iterator[WeightedFault]:
        yield 4, "killed", partial(self._any_instance, partial(self._kill, evicted_after_secs=SESSION_SECS))
        yield (
            4,
            "killed, partitions move at once",
            partial(self._any_instance, partial(self._kill, evicted_after_secs=0.0)),
        )
        yield 3, "killed, replaced by the same static member", partial(self._any_instance, self._replace)
        yield 3, "stopped", partial(self._any_instance, self._stop)
        yield 3, "stopped in doubt", partial(self._any_instance, self._stop_in_doubt)
        yield 8, "started", self._spawn
        yield 5, "paused", partial(self._any_instance, self._pause)
        yield 3, "taken for dead", partial(self._any_instance, lambda i: self._kafka.leave(i.member))
        yield 4, "rebalanced", self._rebalance
        yield 4, "answer to a question lost", self._lose_response
        yield 8, "commit carried out late", self._land_commit
        yield 4, "commit carried out late, its sender killed", self._land_commit_and_kill
        yield 3, "time passed", self._pass_time
        yield 2, "server clock set back", self._set_clock_back
        yield 2, "tokens forgotten", self._forget_tokens
        yield 2, "offset set by others", self._set_offset
        yield 2, "group killed, its offsets set by others", self._set_back_group
        yield 2, "offset rolled back", self._roll_back
        yield 2, "deleted by retention", self._delete
        yield 1, "topic made anew", self._recreate
        yield 5, "other version of the decoder", self._upgrade
        if self._removes:
            yield 6, "rows noted as removed", self._note_removed
            yield 6, "removed rows deleted", self._delete_removed
            yield 4, "killed between noting and deleting", self._forget_removal
            yield 25, "rejected rows stored anew", self._reprocess
            yield 20, "rows stored anew land late", self._land_late

    def _of_sent(self) -> Iterator[WeightedFault]:
        yield 3, "insert lost", self._any_sent(self._table.lose)
        yield 3, "client gave up before the insert arrived", self._any_sent(self._table.hang_up)
        yield 3, "insert doubled", self._duplicate

    def _of_running(self) -> Iterator[WeightedFault]:
        table = self._table
        yield 3, "insert failed, perhaps in part", self._any_running(partial(table.fail, is_answered=True))
        yield 3, "insert failed without an answer", self._any_running(partial(table.fail, is_answered=False))
        yield 3, "insert stored without an answer", self._any_running(partial(table.finish, is_answered=False))
        yield 2, "server killed between token and rows", self._any_running(table.orphan)
        yield 3, "server stands still", self._any_running(table.stall)
        yield 3, "client gave up while the insert ran", self._any_running(table.hang_up)

    def _any_instance(self, act: Callable[[Instance], object]) -> bool:
        if not self._instances:
            return False
        act(self._any_of(self._instances))
        return True

    def _any_running(self, act: Callable[..., object]) -> Callable[[], bool]:
        def happen() -> bool:
            act(self._any_of(self._table.advancing))
            return True

        return happen

    def _any_sent(self, act: Callable[..., object]) -> Callable[[], bool]:
        def happen() -> bool:
            act(self._any_of(self._table.on_the_way))
            return True

        return happen

    def _spawn(self) -> bool:
        if len(self._instances) >= _MAX_INSTANCES:
            return False
        instance = Instance(
            self._kafka,
            self._table,
            self._rng,
            self._parts,
            self._version,
            on_lost=self._report_lost,
            meanwhile=self._meanwhile,
        )
        self._instances.append(instance)
        return True

    def _kill(self, instance: Instance, evicted_after_secs: float) -> None:
        """kill -9: sent requests stay in flight, nothing else happens. Kafka notices at once or later."""
        self._instances.remove(instance)
        self._forget_responses(instance)
        self._dead.append((self._table.now + evicted_after_secs, instance))
        self._evict()

    def _replace(self, instance: Instance) -> None:
        """Killed and started again as the same static member: reading its partitions continues at once."""
        if instance.member.id not in self._kafka.members:
            return
        self._forget_responses(instance)
        instance.completed = CompletedTokens()
        instance.open(self._kafka.replace(instance.member))

    def _stop(self, instance: Instance) -> None:
        if not instance.is_paused:
            self._instances.remove(instance)
            instance.stop()
            self._forget_responses(instance)

    def _stop_in_doubt(self, instance: Instance) -> None:
        """Stop an instance while the outcome of its insert is unknown."""
        for insert in (*self._table.on_the_way, *self._table.running):
            if insert.token.startswith(instance.token_prefix):
                self._table.hang_up(insert)
        instance.step()
        self._stop(instance)

    def _pause(self, instance: Instance) -> None:
        instance.resumes_at = self._table.now + self._rng.choice((1.0, DEADLINE_SECS, 2 * SESSION_SECS))
        if self._rng.random() < 0.3:  # nothing else happens meanwhile, as if the whole machine stalled
            self._table.now = instance.resumes_at

    def _forget_responses(self, instance: Instance) -> None:
        instance.pending_calls.clear()

    def _evict(self) -> None:
        for when, instance in list(self._dead):
            if when <= self._table.now:
                self._dead.remove((when, instance))
                self._kafka.leave(instance.member)
        for instance in self._instances:
            if instance.resumes_at - self._table.now > SESSION_SECS and self._rng.random() < 0.1:
                self._kafka.leave(instance.member)

    def _rebalance(self) -> bool:
        self._kafka.rebalance()
        return True

    def _duplicate(self) -> bool:
        # Without a deduplication window a request duplicated by the network looks like two requests.
        return self._window > 1000 and self._any_sent(self._table.duplicate)()

    def _lose_response(self) -> bool:
        waiting = [instance for instance in self._instances if instance.pending_calls and not instance.is_paused]
        if not waiting:
            return False
        self._any_of(waiting).run_one_call(is_lost=True)
        return True

    def _land_commit(self) -> bool:
        if not self._kafka.late_commits:
            return False
        self._kafka.land_commit(self._rng.randrange(len(self._kafka.late_commits)))
        return True

    def _land_commit_and_kill(self) -> bool:
        if not self._kafka.late_commits:
            return False
        sender = self._kafka.late_commits[0].member
        self._kafka.land_commit(0)
        for instance in [instance for instance in self._instances if instance.member is sender]:
            self._kill(instance, evicted_after_secs=0.0)
        return True

    def _pass_time(self) -> bool:
        self._table.now += self._rng.choice((2.0, 5.0, 20.0, 3600.0))
        return True

    def _set_clock_back(self) -> bool:
        if self._table.removals:  # excluded: twice within the moment that a removal takes
            return False
        self._table.now -= self._rng.uniform(0, MARGIN_SECS - 0.1)
        return True

    def _forget_tokens(self) -> bool:
        if self._window > 1000:  # not reached within the deadline
            return False
        self._table.forget_tokens()
        return True

    def _set_offset(self) -> bool:
        """An operator resets the group. Kafka allows it only for an empty group; here it happens at any time."""
        number = self._rng.randrange(_PARTITIONS)
        offset, metadata = self._kafka.committed.get(number, (0, ""))
        if metadata and f'"{self._kafka.topic_id}"' not in metadata:
            return False  # an offset of the topic that was deleted
        self._kafka.committed[number] = (self._rng.randint(0, offset), "")
        return True

    def _set_back_group(self) -> bool:
        """Reset the group without waiting: inserts of the killed instances are still in flight."""
        for instance in list(self._instances):
            self._kill(instance, evicted_after_secs=0.0)
        changed = [self._set_offset() for _ in range(_PARTITIONS)]
        self._spawn()
        return any(changed)

    def _roll_back(self) -> bool:
        """Kafka forgets the last commits. Excluded: while one of their inserts is still in flight."""
        if not self._kafka.history or self._table.on_the_way or self._table.running or self._may_send():
            return False
        self._kafka.committed = dict(self._rng.choice(self._kafka.history))
        return True

    def _may_send(self) -> bool:
        """Whether an instance has a lease or a pending call, and may still insert."""
        return any(instance.pending_calls or instance.is_delivering for instance in self._instances)

    def _delete(self) -> bool:
        number = self._rng.randrange(_PARTITIONS)
        log = self._kafka.logs[number]
        first = log.first_offset
        log.first_offset = min(len(log.ids), first + self._rng.randint(0, 4))
        self._deleted.update((self._kafka.topic_id, number, offset) for offset in range(first, log.first_offset))
        return True

    def _recreate(self) -> bool:
        if self._rng.random() < 0.7:
            return False
        self._kafka.recreate()
        return True

    def _upgrade(self) -> bool:
        """Instances that start from now on read records in another way; those that run keep theirs."""
        self._version = self._any_of([version for version in self._versions if version != self._version])
        return True

    def _note_removed(self) -> bool:
        """A command begins to remove rows on purpose: those of a user, or of a service."""
        salt = self._rng.randrange(1000)
        self._table.note(lambda row: (row.identity.offset * 7 + row.identity.item * 3 + salt) % 4 == 0)
        return True

    def _delete_removed(self) -> bool:
        if not self._table.removals:
            return False
        self._table.delete(self._any_of(self._table.removals))
        return True

    def _forget_removal(self) -> bool:
        if not self._table.removals:
            return False
        self._table.removals.pop()
        return True

    def _reprocess(self) -> bool:
        """A command stores rejected rows anew, as some version reads them. It may be killed, or fail."""
        table = self._parts.revisions(self._table, self._rng, self._between)
        read = partial(decode, version=self._any_of(self._versions))
        with suppress(Killed, TryAgainLater):
            self._parts.reprocessing(table, self._record_at, read).run(_REPROCESSED)
        return table.has_stored

    def _between(self) -> None:
        """Between two calls of a command the instances go on."""
        for _ in range(self._rng.randrange(4)):
            self._continue()
        self._meanwhile()
        self._check()

    def _record_at(self, place: Place) -> OneRecord | None:
        """A record, if Kafka still has it."""
        if place.topic_id != self._kafka.topic_id or place in self._deleted:
            return None
        return OneRecord(0, b"%d" % (self._kafka.logs[place.partition].ids[place.offset] or 0), ())

    def _land_late(self) -> bool:
        if not self._table.late:
            return False
        self._table.store_anew(self._table.late.pop(self._rng.randrange(len(self._table.late))))
        return True

    def _produce(self) -> None:
        number = self._rng.randrange(_PARTITIONS)
        for _ in range(self._rng.randint(1, 3)):
            if self._rng.random() < 0.05:
                self._kafka.produce(None, number)
                continue
            self._values += 1
            self.outcome.records += 1
            offset = len(self._kafka.logs[number].ids)
            self._kafka.produce(self._values, number)
            self._sent.add((self._kafka.topic_id, number, offset))

    def _report_lost(self, topic_id: str, number: int, first: int, end: int) -> None:
        self._reported_lost.update((topic_id, number, offset) for offset in range(first, end))

    def _meanwhile(self) -> None:
        """Between two queries of one call, sometimes an insert progresses and time passes."""
        if self._is_draining or self._rng.random() < 0.7:
            return
        if self._removes and self._rng.random() < 0.5:
            self._note_removed()
            self._table.delete(self._table.removals[-1])
        elif self._table.on_the_way and self._rng.random() < 0.5:
            self._table.arrive(self._any_of(self._table.on_the_way))
        elif self._table.advancing:
            self._table.finish(self._any_of(self._table.advancing))
        self._table.now += self._rng.choice((0.0, 0.1, DEADLINE_SECS + 2 * MARGIN_SECS))


def _weighted(faults: Iterable[WeightedFault]) -> list[Fault]:
    return [(name, act) for weight, name, act in faults for _ in range(weight)]

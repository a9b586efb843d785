"""One instance of the service in the simulation: the shipped loop, delivery and progress, without threads."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

from app.domain.records import Partition, RecordChunk
from app.domain.rows import Rows
from app.errors import MustRejoin, TryAgainLater
from app.maintenance.reprocess import Reprocessing
from app.pipeline.backoff import Backoff
from app.pipeline.delivery import CompletedTokens, Delivery
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.settings import BatchSettings
from tests.simulation.kafka import Member, SimKafka, SimSource
from tests.simulation.reprocess import SimRevisions
from tests.simulation.rows import decode
from tests.simulation.table import Sent, SimTable, SimWriter

DEADLINE_SECS = 10.0

_Result = TypeVar("_Result")
_LIMITS = BatchSettings(max_rows=8, max_age_secs=0.5)
_PIECE_BYTES = 3  # a chunk is often more than one piece, and a poll more than one batch


class NullEvents:
    """IngestEvents and DeliveryEvents that are ignored."""

    def turned(self, *, buffer_rows: int, buffer_bytes: int, is_paused: bool) -> None: ...
    def consumed(self, chunk: RecordChunk, problems: Mapping[str, int]) -> None: ...
    def masked(self, counts: Mapping[str, int]) -> None: ...
    def assigned(self, partitions: Mapping[Partition, int]) -> None: ...
    def committed(self, next_offsets: Mapping[Partition, int]) -> None: ...
    def lag(self, lag: Mapping[Partition, int]) -> None: ...
    def halted(self, partition: Partition, reason: str) -> None:
        raise AssertionError(f"{partition} is halted: {reason}")

    def kafka_failed(self, error: TryAgainLater) -> None: ...
    def kafka_answered(self) -> None: ...
    def inserted(self, rows: Rows, seconds: float) -> None: ...
    def failed(self, result: str) -> None: ...
    def already_stored(self, row_count: int) -> None: ...
    def waiting_out(self, deadline_in_secs: float) -> None: ...
    def retrying(self, error: TryAgainLater, attempt: int) -> None: ...
    def answered(self) -> None: ...


class SteadyBackoff(Backoff, frozen=True):
    """A backoff without randomness: only the seed may decide."""

    def delay_secs(self, attempt: int, chance: float | None = None) -> float:
        """See `Backoff`."""
        return super().delay_secs(attempt, 0.5)


class Awaited(Future[_Result]):
    """A future whose waits take simulated time."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self._wait = wait

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See `Future`."""
        if not self.done():
            self._wait(timeout or 0.0)
        return super().exception(timeout=0)


class PendingCall(NamedTuple):
    """A call that the other thread has not made yet."""

    call: Callable[[], Any]
    outcome: Future[Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an instance and of commands; a mutation replaces one of them."""

    ingest: type[Ingest] = Ingest
    delivery: type[Delivery] = Delivery
    progress: type[Progress] = Progress
    source: type[SimSource] = SimSource
    writer: type[SimWriter] = SimWriter
    revisions: type[SimRevisions] = SimRevisions
    reprocessing: type[Reprocessing] = Reprocessing
    checks_deadline: bool = True


@dataclass(slots=True, eq=False)
class Instance:
    """A process. `pending_calls` are calls for its other thread. A paused instance does nothing."""

    kafka: SimKafka
    table: SimTable
    rng: random.Random
    parts: Parts
    version: int
    on_lost: Callable[[str, int, int, int], None]
    meanwhile: Callable[[], None]
    pending_calls: list[PendingCall] = field(default_factory=list)
    resumes_at: float = 0.0
    completed: CompletedTokens = field(default_factory=CompletedTokens)
    """Inserts whose end this process has seen; a new process starts empty."""
    rejoins: int = 0
    _clock_rate: float = field(init=False)
    _tokens: Any = field(init=False)
    member: Member = field(init=False)
    ingest: Ingest = field(init=False)
    source: SimSource = field(init=False)

    def __post_init__(self) -> None:
        self._clock_rate = self.rng.uniform(0.9, 1.1)
        self._tokens = itertools.count()
        self.open(self.kafka.join())

    @property
    def is_paused(self) -> bool:
        """Whether it is stopped from outside, without knowing."""
        return self.resumes_at > self.table.now

    @property
    def is_delivering(self) -> bool:
        """Whether a batch is between its first lease and its completion."""
        return self.ingest._delivering is not None

    @property
    def has_rest(self) -> bool:
        """Whether it holds records that it has polled and could not decode yet."""
        return bool(self.ingest._undecoded)

    @property
    def token_prefix(self) -> str:
        """Prefix of the tokens of its inserts."""
        return f"insert-{self.member.id}-"

    def open(self, member: Member) -> None:
        """Start the pipeline as this member of the group."""
        parts, events = self.parts, NullEvents()
        self.member = member
        self.pending_calls.clear()
        self.source = parts.source(self.kafka, member, self.on_lost)
        progress = parts.progress(self.source, events.committed)
        delivery = parts.delivery(
            parts.writer(self.table, self.meanwhile),
            progress,
            events,
            clock=self._clock,
            backoff=SteadyBackoff(),
            deadline_secs=DEADLINE_SECS,
            completed=self.completed,
            new_token=lambda: f"{self.token_prefix}{next(self._tokens)}",
        )
        self.ingest = parts.ingest(
            self.source,
            delivery,
            progress,
            events,
            decode=partial(decode, version=self.version),
            limits=_LIMITS,
            clock=self._clock,
            submit=self._submit,
            sleep=self._sleep,
            piece_bytes=_PIECE_BYTES,
        )

    def step(self) -> None:
        """One iteration of the loop; rejoins the group if needed."""
        try:
            self.ingest.step()
        except MustRejoin:
            self._rejoin()

    def run_one_call(self, *, is_lost: bool = False) -> None:
        """The other thread makes a call; its response may get lost."""
        pending = self.pending_calls.pop(0)
        try:
            result = pending.call()
        except Sent as sent:
            sent.insert.answer = pending.outcome
        except TryAgainLater as error:
            pending.outcome.set_exception(error)
        else:
            if is_lost:
                pending.outcome.set_exception(TryAgainLater("no answer", code="unreachable", is_outcome_unknown=True))
            else:
                pending.outcome.set_result(result)

    def stop(self) -> None:
        """Stop as on SIGTERM, with no time left or with time to finish the gathered rows."""
        self.ingest.drain(self._clock() + self.rng.choice((0.0, 6.5)))
        self.source.close(0.0)

    def _rejoin(self) -> None:
        self.rejoins += 1
        self.ingest.abandon(0.0)
        self.source.close(0.0)
        self.open(self.kafka.join())

    def _wait(self, timeout_secs: float) -> None:
        """While waiting the other thread works, or only time passes."""
        if self.pending_calls and self.rng.random() < 0.7:
            self.run_one_call()
            self.meanwhile()
        self._sleep(timeout_secs)

    def _sleep(self, secs: float) -> None:
        self.table.now += secs / self._clock_rate + 1e-6

    def _clock(self) -> float:
        return self.table.now * self._clock_rate

    def _submit(self, call: Callable[[], _Result], /) -> Future[_Result]:
        answer = Awaited[_Result](self._wait)
        self.pending_calls.append(PendingCall(call, answer))
        return answer

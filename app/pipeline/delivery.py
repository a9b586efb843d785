"""Gets a batch into the table: once, whole, however often it takes. Knows nothing of Kafka.

A row's identity (topic id, partition, offset, item) is in the table, so the table itself tells what it holds. Whenever
the outcome of an insert is unknown, or an earlier life may have stored part of a batch, delivery looks before it
inserts and sends only what is missing.
"""

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow.compute as pc

from app.errors import Abandoned, Refused, TryAgainLater
from app.model import Partition
from app.pipeline.backoff import Backoff
from app.pipeline.batch import Batch
from app.pipeline.rows import Rows, flagged
from app.ports import LogWriter

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class DeliveryEvents(Protocol):
    """Told of what happens on the way, for metrics and health. Called from the delivering thread."""

    def inserted(self, rows: Rows, seconds: float) -> None:
        """An insert was stored."""

    def failed(self, result: str) -> None:
        """An insert was not stored: "failed" or "refused"."""

    def already_stored(self, row_count: int) -> None:
        """Rows were left out because the table holds them."""

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        """ClickHouse did not do what it was asked; the same will be tried again."""

    def answered(self) -> None:
        """ClickHouse did what it was asked."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The offsets that are stored, and partitions on which going on would be wrong, with the reason."""

    next_offsets: Mapping[Partition, int]
    halted: Mapping[Partition, str]


class Patience:
    """Waits between attempts, until told that nobody wants the outcome any more. Safe to share between threads."""

    def __init__(self) -> None:
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """End the wait that is going on, and every later one, by `Abandoned`."""
        self._given_up.set()

    def wait(self, secs: float) -> None:
        """Let time pass.

        Raises:
            Abandoned: it was given up.
        """
        if self._given_up.wait(secs):
            raise Abandoned


class Delivery:
    """Stores one batch at a time. Belongs to one thread at a time."""

    def __init__(
        self,
        writer: LogWriter,
        events: DeliveryEvents,
        *,
        clock: Callable[[], float],
        backoff: Backoff,
    ) -> None:
        self._writer = writer
        self._events = events
        self._clock = clock
        self._backoff = backoff

    def store(self, batch: Batch, patience: Patience) -> Delivered:
        """Store every row of the batch, for as long as it takes or `patience` lasts.

        A batch that is refused is halved until the row that is to blame stands alone; that row is stored in a form
        that cannot be refused. Should even that be refused, its partition halts there.

        Raises:
            Abandoned: patience ended; any part of the batch may be stored.
        """
        halted: dict[Partition, str] = {}
        next_offsets = dict(batch.next_offsets)
        pending = deque([(batch.rows, batch.may_be_stored)])
        while pending:
            rows, may_be_stored = pending.popleft()
            rows = _without_partitions(rows, halted)
            try:
                self._store(rows, may_be_stored, patience)
            except Refused as refusal:
                self._events.failed("refused")
                # Refused is what was sent, and that may have been less than these rows: look again from now on.
                if rows.num_rows > 1:
                    half = rows.num_rows // 2
                    pending.extendleft([(rows.slice(half), True), (rows.slice(0, half), True)])
                elif not _is_flagged(rows):
                    _log.warning("ClickHouse refuses a row; it is stored flagged instead: %s", refusal)
                    pending.appendleft((flagged(rows, f"refused: ClickHouse error {refusal.code}"), True))
                else:
                    partition, offset = _place(rows)
                    halted[partition] = f"ClickHouse refuses offset {offset} in every form: {refusal}"
                    next_offsets[partition] = offset
        return Delivered(next_offsets, halted)

    def last_offset(self, topic_id: str, partition: int, patience: Patience) -> int | None:
        """The highest offset of a partition that the table holds, asked for as long as it takes.

        Raises:
            Abandoned: patience ended.
        """
        return self._insist(lambda: self._writer.last_offset(topic_id, partition), patience)

    def _store(self, rows: Rows, may_be_stored: bool, patience: Patience) -> None:
        if may_be_stored:
            rows = self._only_missing(rows, patience)
        token, may_be_known = _new_token(), False  # known to the server, from an attempt whose outcome we do not know
        attempt = doubts = 0
        while rows.num_rows:
            try:
                self._insert(rows, token, patience)
            except TryAgainLater as error:
                attempt += 1
                doubts = doubts + 1 if error.max_attempts else 0
                # One row is never too much: it must not be flagged for what is then the server's own fault.
                if error.max_attempts and doubts >= error.max_attempts and rows.num_rows > 1:
                    raise Refused(str(error), code=error.code) from error
                self._wait(error, attempt, patience)
                if not error.is_outcome_unknown:
                    continue
                missing = self._only_missing(rows, patience)
                may_be_known = missing.num_rows == rows.num_rows
            else:
                if not may_be_known:
                    return
                # Dropped for its token, which a server can remember without having got to store the rows?
                missing = self._ask_missing(rows, patience)
                may_be_known = False
            # An attempt that was given up may still land. With its token it is dropped, now or then; but a token must
            # never be used for other rows.
            rows = missing
            if not may_be_known:
                token = _new_token()

    def _insert(self, rows: Rows, token: str, patience: Patience) -> None:
        patience.wait(0)  # nothing new is begun once it has ended
        started_at = self._clock()
        try:
            self._writer.insert(rows, token)
        except TryAgainLater:
            self._events.failed("failed")
            raise
        self._events.answered()
        self._events.inserted(rows, self._clock() - started_at)

    def _only_missing(self, rows: Rows, patience: Patience) -> Rows:
        missing = self._ask_missing(rows, patience)
        if missing.num_rows < rows.num_rows:
            self._events.already_stored(rows.num_rows - missing.num_rows)
        return missing

    def _ask_missing(self, rows: Rows, patience: Patience) -> Rows:
        return self._insist(lambda: self._writer.missing(rows), patience)

    def _insist(self, ask: Callable[[], _Answer], patience: Patience) -> _Answer:
        attempt = 0
        while True:
            try:
                answer = ask()
            except TryAgainLater as error:
                attempt += 1
                self._wait(error, attempt, patience)
            else:
                self._events.answered()
                return answer

    def _wait(self, error: TryAgainLater, attempt: int, patience: Patience) -> None:
        self._events.retrying(error, attempt)
        patience.wait(self._backoff.delay_secs(attempt))


def _new_token() -> str:
    return uuid.uuid4().hex


def _without_partitions(rows: Rows, halted: Mapping[Partition, str]) -> Rows:
    for partition in halted:
        rows = rows.filter(pc.not_equal(rows["_partition"], partition.number))
    return rows


def _is_flagged(row: Rows) -> bool:
    return str(row["ParseError"][0]).startswith("refused:")


def _place(row: Rows) -> tuple[Partition, int]:
    return Partition(row["_topic"][0].as_py(), row["_partition"][0].as_py()), row["_offset"][0].as_py()

"""`python -m bench.at_least_once`: the service without the delivery protocol, as an ordinary at-least-once consumer.

It inserts, then commits. The next owner stores again what was inserted and not committed.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Final

from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.service import build
from app.domain.records import Partition, Position
from app.domain.rows import TABLE_COLUMNS, Rows
from app.environment import read_settings
from app.errors import Refused, TryAgainLater
from app.pipeline.batch import Batch
from app.pipeline.delivery import Delivered, Delivery, RefusedRows
from app.pipeline.task import Call, Pause, Steps
from app.serve import serve

_NEVER_MS: Final = 10_000_000_000_000  # in the year 2286


class AtLeastOnce(Delivery):
    """Stores one batch at a time, without a lease before the insert and without ever checking the table."""

    def deliver(self, batch: Batch) -> Steps[Delivered]:
        """Insert every row of the batch, retrying until it succeeds, then commit."""
        delivered = yield from super().deliver(batch)
        self._progress.stored(delivered.next_offsets)
        try:
            self._progress.commit()
        except TryAgainLater as error:  # the next commit includes these offsets
            self._events.kafka_failed(error)
        return delivered

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        """Continue at the committed offset."""
        return 0
        yield  # type: ignore[unreachable] # makes it a generator

    def _insert_missing(self, rows: Rows, batch: Batch, *, must_check: bool) -> Steps[RefusedRows | None]:
        attempt = 0
        while rows.num_rows:
            try:
                seconds = yield Call(partial(self._insert, rows))
            except Refused as refusal:
                return RefusedRows(rows, refusal)
            except TryAgainLater as error:
                attempt += 1
                self._events.failed("failed")
                self._events.retrying(error, attempt)
                yield Pause(self._backoff.delay_secs(attempt))
            else:
                self._events.answered()
                self._events.inserted(rows, seconds)
                return None
        return None

    def _insert(self, rows: Rows) -> float:
        started_at = self._clock()
        self._writer.insert(rows, self._new_token(), _NEVER_MS)
        return self._clock() - started_at


class WriterWithoutDeadline(ClickHouseWriter):
    """Inserts into a table that has no column for a deadline."""

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """See `ports.LogWriter`, except that the insert may land at any time."""
        self._insert({name: rows[name] for name in TABLE_COLUMNS}, token)


def main() -> int:
    """Run the service as `python -m app` does, with this writer and delivery. Returns the exit code."""
    settings = read_settings(os.environ)
    return serve(settings, build(settings, new_writer=WriterWithoutDeadline, new_delivery=AtLeastOnce))


if __name__ == "__main__":
    sys.exit(main())

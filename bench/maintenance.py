"""`python -m bench.maintenance`: for how long `reprocess` shows a row twice, and what removed rows cost later.

On the engine alone, with rows of one day. Prints, and stores nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.removed import ensure_removed
from app.backends.clickhouse.revisions import ClickHouseRevisions
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.event_time import EventTimeBounds
from app.domain.offsets import Span
from app.domain.records import Partition, RecordChunk
from app.domain.revisions import Version
from app.domain.rows import Rows
from app.maintenance.reprocess import Reprocessing
from app.pipeline.decode import decode
from app.settings import ClickHouseSettings
from bench.command import positive, run
from local.engine.server import EngineServer
from local.ports import free_port

_TIMEOUT_SECS: Final = 600.0
_BOUNDS: Final = EventTimeBounds.of_retention(30)
_REPETITIONS: Final = 7
_LOOKED_UP: Final = 10_000

# Every `every`th row was not understood; its text is one that today's parser reads.
_FILL: Final = """
INSERT INTO {table} (Timestamp, ServiceName, Body, _topic_id, _offset, _items, _deadline, ParseError, _raw)
SELECT
    toDateTime64(yesterday(), 9, 'UTC') + number % 86400,
    'service-' || toString(number % 20),
    'a message of a usual length, with its number, ' || toString(number),
    'bench',
    number,
    1,
    now64(3) + 3600,
    number % {every} = 0 ? 'json: broken' : '',
    number % {every} = 0 ? '{{"message": "number ' || toString(number) || ' is read by now"}}' : ''
FROM numbers({rows})
"""


def main(arguments: list[str]) -> int:
    """Measure and print. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.maintenance", description="Reprocessing and removed rows.")
    parser.add_argument("--rejected", type=positive, nargs="+", default=[1_000, 100_000], metavar="ROWS")
    parser.add_argument("--rows", type=positive, default=1_000_000, help="rows of the table (default: 1000000)")
    parser.add_argument("--removed", type=positive, default=1_000_000, help="positions noted (default: 1000000)")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    with _engine() as server:
        for number, rejected in enumerate(options.rejected):
            _measure_reprocessing(_settings(server, f"reprocess_{number}"), options.rows, rejected)
        _measure_removed(_settings(server, "removed"), options.rows, options.removed)
    return 0


@contextmanager
def _engine() -> Iterator[EngineServer]:
    with tempfile.TemporaryDirectory() as directory:
        server = EngineServer(Path(directory), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _settings(server: EngineServer, database: str) -> ClickHouseSettings:
    settings = ClickHouseSettings(url=server.url, user="default", database=database)
    ensure_table(settings)
    return settings


class _Watched(ClickHouseRevisions):
    """Notes for how long both versions of the rows of each batch are there."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        super().__init__(settings, since_secs=4 * 86_400, until_secs=None, timeout_secs=_TIMEOUT_SECS)
        self.seconds: list[float] = []
        self._stored_at = 0.0

    def store(self, rows: Rows, revision: int) -> None:
        super().store(rows, revision)
        self._stored_at = time.perf_counter()

    def delete(self, rows: Sequence[Version]) -> None:
        super().delete(rows)
        self.seconds.append(time.perf_counter() - self._stored_at)


def _measure_reprocessing(settings: ClickHouseSettings, rows: int, rejected: int) -> None:
    client = connect(settings, timeout_secs=_TIMEOUT_SECS)
    table = f"{settings.database}.{settings.table}"
    client.command(_FILL.format(table=table, every=max(rows // rejected, 1), rows=rows))
    watched = _Watched(settings)
    begun = time.perf_counter()
    reprocessing = Reprocessing(watched, lambda _place: None, lambda chunk: decode(chunk, _BOUNDS))
    reprocessing.run(rejected)
    took = time.perf_counter() - begun
    print(
        f"{reprocessing.outcome.restored:,} of {rows:,} rows stored anew in {took:.1f} s,"
        f" {len(watched.seconds)} batches;"
        f" both versions of a row were there for {median(watched.seconds):.2f} s (median),"
        f" {max(watched.seconds):.2f} s (longest)",
        flush=True,
    )
    watched.close()
    client.command(f"DROP TABLE {table}")
    client.close()


def _measure_removed(settings: ClickHouseSettings, rows: int, removed: int) -> None:
    client = connect(settings, timeout_secs=_TIMEOUT_SECS)
    table = f"{settings.database}.{settings.table}"
    client.command(_FILL.format(table=table, every=rows + 1, rows=rows))
    questions = _questions(settings, rows)
    without = {name: _seconds(ask) for name, ask in questions.items()}
    _note(client, settings, removed)
    print(f"\n{rows:,} rows; milliseconds without positions of removed rows, and with {removed:,}:")
    for name, ask in questions.items():
        print(f"  {name:30} {without[name] * 1000:8.1f} {_seconds(ask) * 1000:8.1f}")
    client.close()


def _questions(settings: ClickHouseSettings, rows: int) -> dict[str, Callable[[], Any]]:
    writer, ledger = ClickHouseWriter(settings), ClickHouseLedger(settings, timeout_secs=_TIMEOUT_SECS)
    batch, everything = _batch(rows // 2), Span(0, rows)
    return {
        "last offset (recovery)": lambda: writer.last_offset("bench", 0),
        f"missing of {_LOOKED_UP:,} (recovery)": lambda: writer.missing(batch),
        "first offset (audit)": lambda: ledger.first_offset("bench", 0),
        "last before (audit)": lambda: ledger.last_before("bench", 0, rows // 2),
        "buckets (audit)": lambda: ledger.buckets("bench", {0: everything}),
        "records of several (audit)": lambda: ledger.buckets_of_several("bench", {0: everything}),
        "runs of 65,536 (audit)": lambda: ledger.runs("bench", 0, Span(0, 65_536)),
    }


def _note(client: Client, settings: ClickHouseSettings, removed: int) -> None:
    ensure_removed(client, settings)
    client.command(
        f"INSERT INTO {settings.database}.{settings.table}_removed"
        " (_topic_id, _partition, _offset, _item, _items, reason)"
        f" SELECT 'bench', 0, number, 0, 1, 'request' FROM numbers({removed})"
    )


def _batch(first: int) -> Rows:
    offsets = range(first, first + _LOOKED_UP)
    values = [b'{"message": "again"}'] * _LOOKED_UP
    times, headers = [int(time.time() * 1000)] * _LOOKED_UP, [()] * _LOOKED_UP
    chunk = RecordChunk(Partition("logs", 0), "bench", offsets, times, values, headers, offsets.stop)
    return decode(chunk, _BOUNDS).rows


def _seconds(ask: Callable[[], Any]) -> float:
    """The median of several, after one that finds nothing in caches."""
    ask()
    taken = []
    for _ in range(_REPETITIONS):
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    return median(taken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

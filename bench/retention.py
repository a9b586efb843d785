"""`python -m bench.retention`: ways to remove the logs of some services from a table before the others expire.

Each way removes the same rows from the same days, each of which is merged into one part: what it costs the engine, what
is on disk before and after, and how long inserts take meanwhile. Ways that leave the positions of the removed rows
unknown are measured alone; noting the positions is measured beside them.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.schema import create_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.offsets import Span
from bench.command import RESULTS, circumstances, positive, run
from bench.history import COLUMNS, SERVICES, load_history, merge_days, service_name
from bench.processes import cpu_secs
from bench.report import write_results
from bench.retention_report import Cost
from bench.retention_report import page as page_of
from bench.retention_ways import WAYS, Wanted, Way
from bench.stack import DATABASE, BenchStack, running_stack

_NAME: Final = "retention"
_SOURCE: Final = "history"
_INSERT_ROWS: Final = 20_000
_MILLION: Final = 1e6
_PASSES: Final = 10


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.retention", description="Compare ways to remove services.")
    parser.add_argument("--rows", type=positive, default=6_000_000, help="rows over thirty days (default: 6 million)")
    parser.add_argument("--days", type=positive, default=5, help="days from which rows are removed (default: 5)")
    parser.add_argument(
        "--positions", type=positive, default=20_000_000, help="that recovery and audit read (default: 20 million)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    with running_stack() as stack:
        print(f"Loading {options.rows:,} rows ...", flush=True)
        stack.create_table(_SOURCE)
        load_history(stack, _SOURCE, options.rows)
        merge_days(stack, _SOURCE)
        stack.wait_until_idle()
        today = date.fromisoformat(stack.query("SELECT toDate(now('UTC'))"))
        days = [today - timedelta(days=4 + number) for number in range(options.days)]
        shares = [Wanted("much", _names(0, 10), days), Wanted("little", _names(30, 40), days)]
        rows = _rows_of_days(stack, days)
        of_services = {wanted.title: _count(stack, _SOURCE, wanted) for wanted in shares}
        costs = {wanted.title: _costs(stack, wanted) for wanted in shares}
        inserting = {name: _insert_cost(stack, by_class) for name, by_class in _KEYS.items()}
        reading = _reading(stack, options.positions)
        about = circumstances(stack, _command(options)) | {"rows": rows, "removed": of_services}
    page = page_of(about, costs, inserting, _INSERT_ROWS, reading, options.positions)
    print(page)
    content = {
        **about,
        "ways": {title: {name: asdict(cost) for name, cost in mine.items()} for title, mine in costs.items()},
        "inserts": inserting,
        "reading_positions_cpu_secs": reading,
    }
    for path in write_results(options.results, _NAME, page, content):
        print(f"Written: {path}")
    return 0


def _command(options: argparse.Namespace) -> list[str]:
    chosen = {"--rows": options.rows, "--days": options.days, "--positions": options.positions}
    return ["bench.retention", *(str(word) for pair in chosen.items() for word in pair)]


_KEYS: Final[Mapping[str, bool]] = {"by day, as it is": False, "by day and class": True}


def _fill(stack: BenchStack, table: str, wanted: Wanted, *, by_class: bool) -> None:
    """A table with the days, each merged."""
    _create(stack, table, wanted, by_class=by_class)
    if by_class:
        values = ", ".join(COLUMNS).replace("_deadline", "now64(3) + 3600")
        stack.query(
            f"INSERT INTO `{DATABASE}`.`{table}` ({', '.join(COLUMNS)}) SELECT {values} FROM `{DATABASE}`.`{_SOURCE}`"
            f" WHERE {_in_days(wanted.days)}"
        )
        stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` FINAL")
        return
    for day in wanted.days:
        stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` REPLACE PARTITION '{day}' FROM `{DATABASE}`.`{_SOURCE}`")


def _create(stack: BenchStack, table: str, wanted: Wanted, *, by_class: bool) -> None:
    shipped = create_table(stack.clickhouse_settings(table))
    key = f"(toDate(Timestamp), {wanted.condition})" if by_class else "toDate(Timestamp)"
    stack.query(shipped.replace("PARTITION BY toDate(Timestamp)", f"PARTITION BY {key}"))


def _costs(stack: BenchStack, wanted: Wanted) -> dict[str, Cost]:
    costs = {}
    for number, way in enumerate(WAYS):
        print(f"{wanted.title}: {way.name} ...", flush=True)
        table = f"way_{wanted.title}_{number}"
        _fill(stack, table, wanted, by_class=way.by_class)
        stack.wait_until_idle()
        costs[way.name] = _cost(stack, table, way, wanted)
        stack.drop_table(table)
        stack.query(f"DROP TABLE IF EXISTS `{DATABASE}`.`{table}_removed` SYNC")
    return costs


def _cost(stack: BenchStack, table: str, way: Way, wanted: Wanted) -> Cost:
    before, parts = _counters(stack), _parts(stack, table)
    cpu, began = cpu_secs(stack.engine.pid), time.monotonic()
    way.remove(stack, table, wanted)
    cpu, wall = cpu_secs(stack.engine.pid) - cpu, time.monotonic() - began
    read, written = (after - mine for after, mine in zip(_counters(stack), before, strict=True))
    anew = _parts(stack, table)
    measured = f"{table}_removed" if way.is_note else table
    disk = float(stack.query(f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND {_of(measured)}")) / 1e6
    rows = int(stack.query(f"SELECT count() FROM `{DATABASE}`.`{measured}`"))
    # Again, beside inserts: their CPU would be counted with it.
    stack.drop_table(table)
    stack.query(f"DROP TABLE IF EXISTS `{DATABASE}`.`{table}_removed` SYNC")
    _fill(stack, table, wanted, by_class=way.by_class)
    stack.wait_until_idle()
    insert_ms = _insert_ms_beside(stack, table, lambda: way.remove(stack, table, wanted))
    return Cost(
        cpu_secs=cpu,
        wall_secs=wall,
        read_mb=read / 1e6,
        written_mb=written / 1e6,
        parts_anew=len(anew - parts),
        disk_mb=disk,
        rows=rows,
        insert_ms=insert_ms,
    )


def _insert_ms_beside(stack: BenchStack, table: str, work: Callable[[], object]) -> float:
    """The median time of inserts into the table while `work` runs."""
    thread = threading.Thread(target=work)
    thread.start()
    millis = []
    number = 0
    while thread.is_alive():
        began = time.perf_counter()
        _insert(stack, table, number)
        millis.append((time.perf_counter() - began) * 1000)
        number += 1
    thread.join()
    return median(millis)


def _insert(stack: BenchStack, table: str, number: int) -> None:
    """Rows of all services, of the last days of the source: their times are not in the days that rows leave."""
    values = ", ".join(COLUMNS).replace("_deadline", "now64(3) + 3600")
    stack.query(
        f"INSERT INTO `{DATABASE}`.`{table}` ({', '.join(COLUMNS)}) SELECT {values} FROM `{DATABASE}`.`{_SOURCE}`"
        f" WHERE toDate(Timestamp) = toDate(now('UTC')) - 1 LIMIT {_INSERT_ROWS} OFFSET {number % 4 * _INSERT_ROWS}"
    )


def _insert_cost(stack: BenchStack, by_class: bool) -> dict[str, float]:
    """Of ten inserts of a day's rows: CPU seconds per million rows, with merging them, and the parts of each."""
    wanted = Wanted("much", _names(0, 10), [])
    _create(stack, "inserts", wanted, by_class=by_class)
    stack.stop_merges("inserts")
    before = cpu_secs(stack.engine.pid)
    for number in range(10):
        _insert(stack, "inserts", number)
    inserted = cpu_secs(stack.engine.pid)
    parts = len(_parts(stack, "inserts"))
    stack.query(f"SYSTEM START MERGES `{DATABASE}`.`inserts`")
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`inserts` FINAL")
    merged = cpu_secs(stack.engine.pid)
    rows = int(stack.query(f"SELECT count() FROM `{DATABASE}`.`inserts`"))
    stack.drop_table("inserts")
    return {
        "insert_cpu_secs_per_million": (inserted - before) / rows * _MILLION,
        "merge_cpu_secs_per_million": (merged - inserted) / rows * _MILLION,
        "parts_per_insert": parts / 10,
    }


def _reading(stack: BenchStack, positions: int) -> dict[str, float]:
    """CPU seconds of the engine for what recovery and the audit ask, with so many positions of four partitions."""
    stack.create_table("reading")
    settings = stack.clickhouse_settings("reading")
    with closing(ClickHouseRemoval(settings, timeout_secs=300)) as removal:
        removal.prepare()
    at_once = -(-positions // _PASSES)
    for first in range(0, positions, at_once):
        stack.query(
            f"INSERT INTO `{DATABASE}`.`reading_removed` (_topic_id, _partition, _offset, _items, reason)"
            f" SELECT 'id', number % 4, intDiv({first} + number, 4), 1, 'retention'"
            f" FROM numbers({min(at_once, positions - first)})"
        )
    writer, some, everything = ClickHouseWriter(settings), Span(0, 200_000), Span(0, positions // 4)
    with closing(ClickHouseLedger(settings, timeout_secs=300)) as ledger:
        calls: dict[str, Callable[[], object]] = {
            "recovery: the highest offset of a partition": lambda: writer.last_offset("id", 0),
            "an audit of 200,000 offsets": lambda: ledger.buckets("id", {0: some}),
            "an audit of all": lambda: ledger.buckets("id", dict.fromkeys(range(4), everything)),
        }
        return {name: _cpu_secs_of(stack, call) for name, call in calls.items()}


def _cpu_secs_of(stack: BenchStack, call: Callable[[], object]) -> float:
    before = cpu_secs(stack.engine.pid)
    call()
    return cpu_secs(stack.engine.pid) - before


def _counters(stack: BenchStack) -> tuple[int, int]:
    """Bytes that the engine has read from files and written to them."""
    events = ("ReadBufferFromFileDescriptorReadBytes", "WriteBufferFromFileDescriptorWriteBytes")
    read, written = (stack.query(f"SELECT value FROM system.events WHERE event = '{event}'") for event in events)
    return int(read), int(written)


def _parts(stack: BenchStack, table: str) -> set[str]:
    return set(stack.query(f"SELECT name FROM system.parts WHERE active AND {_of(table)}").split())


def _of(table: str) -> str:
    return f"database = '{DATABASE}' AND table = '{table}'"


def _names(first: int, end: int) -> list[str]:
    return [service_name(number) for number in range(first, min(end, SERVICES))]


def _in_days(days: Sequence[date]) -> str:
    return f"toDate(Timestamp) IN ({', '.join(repr(str(day)) for day in days)})"


def _rows_of_days(stack: BenchStack, days: Sequence[date]) -> int:
    return int(stack.query(f"SELECT count() FROM `{DATABASE}`.`{_SOURCE}` WHERE {_in_days(days)}"))


def _count(stack: BenchStack, table: str, wanted: Wanted) -> int:
    return int(
        stack.query(f"SELECT count() FROM `{DATABASE}`.`{table}` WHERE {_in_days(wanted.days)} AND {wanted.condition}")
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

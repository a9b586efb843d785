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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.schema import create_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.offsets import Span
from app.maintenance.removal import OfServices, Waiting, wait_until_deleted
from bench.command import RESULTS, circumstances, positive, run
from bench.history import COLUMNS, SERVICES, load_history, merge_days, service_name
from bench.processes import cpu_secs
from bench.report import table as as_table
from bench.report import write_results
from bench.stack import DATABASE, BenchStack, running_stack

_NAME: Final = "retention"
_SOURCE: Final = "history"
_INSERT_ROWS: Final = 20_000
_MILLION: Final = 1e6
_LATER_MS: Final = 4_000_000_000_000  # all rows are of before
_TABLE_DAYS: Final = 30
_PASSES: Final = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is removed: these services, of these days."""

    title: str
    services: Sequence[str]
    days: Sequence[date]

    @property
    def condition(self) -> str:
        """For SQL."""
        return f"ServiceName IN ({', '.join(map(repr, self.services))})"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the engine spent, and what is on disk afterwards."""

    cpu_secs: float
    wall_secs: float
    read_mb: float
    written_mb: float
    parts_anew: int
    disk_mb: float
    rows: int
    insert_ms: float


@dataclass(frozen=True, slots=True)
class Way:
    """A way to remove rows from a table. `by_class`: its partition key has a class of services, beside the day."""

    name: str
    remove: Callable[[BenchStack, str, Wanted], object]
    by_class: bool = False


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
    page = "\n".join([*_page(about, costs, inserting), *_reading_page(options.positions, reading)]) + "\n"
    print(page)
    content = {
        **about,
        "ways": {title: {name: _as_json(cost) for name, cost in mine.items()} for title, mine in costs.items()},
        "inserts": inserting,
        "reading_positions_cpu_secs": reading,
    }
    for path in write_results(options.results, _NAME, page, content):
        print(f"Written: {path}")
    return 0


def _command(options: argparse.Namespace) -> list[str]:
    chosen = {"--rows": options.rows, "--days": options.days, "--positions": options.positions}
    return ["bench.retention", *(str(word) for pair in chosen.items() for word in pair)]


# The ways.


def _nothing(stack: BenchStack, table: str, wanted: Wanted) -> None:
    """As long as one of the others takes, for the inserts beside it."""
    time.sleep(5)


def _note(stack: BenchStack, table: str, wanted: Wanted) -> None:
    with closing(ClickHouseRemoval(stack.clickhouse_settings(table), timeout_secs=300)) as removal:
        removal.prepare()
        for day in wanted.days:
            removal.note(OfServices(day, wanted.services), _LATER_MS)


def _mutation(stack: BenchStack, table: str, wanted: Wanted) -> None:
    with closing(ClickHouseRemoval(stack.clickhouse_settings(table), timeout_secs=300)) as removal:
        removal.prepare()
        for day in wanted.days:
            removal.delete(OfServices(day, wanted.services), _LATER_MS)
            wait_until_deleted(removal, Waiting())


def _mutation_of_nothing(stack: BenchStack, table: str, wanted: Wanted) -> None:
    _mutation(stack, table, Wanted("nothing", ["no such service"], wanted.days))


def _lightweight(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"DELETE FROM `{DATABASE}`.`{table}` IN PARTITION '{day}' WHERE {wanted.condition}")


def _lightweight_and_mask(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"DELETE FROM `{DATABASE}`.`{table}` IN PARTITION '{day}' WHERE {wanted.condition}")
        stack.query(
            f"ALTER TABLE `{DATABASE}`.`{table}` APPLY DELETED MASK IN PARTITION '{day}' SETTINGS mutations_sync = 1"
        )


def _ttl(stack: BenchStack, table: str, wanted: Wanted) -> None:
    stack.query(
        f"ALTER TABLE `{DATABASE}`.`{table}` MODIFY SETTING ttl_only_drop_parts = 0, merge_with_ttl_timeout = 0"
    )
    stack.query(
        f"ALTER TABLE `{DATABASE}`.`{table}` MODIFY TTL toDateTime(Timestamp) + INTERVAL {_TABLE_DAYS} DAY DELETE,"
        f" toDateTime(Timestamp) + INTERVAL 3 DAY DELETE WHERE {wanted.condition} SETTINGS mutations_sync = 1"
    )
    stack.wait_until_idle()


def _drop_class(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` DROP PARTITION ('{day}', 1)")


WAYS: Final = (
    Way("nothing, for the inserts", _nothing),
    Way("note the positions", _note),
    Way("`ALTER TABLE DELETE` in the partition, day by day", _mutation),
    Way("the same where nothing has expired", _mutation_of_nothing),
    Way("lightweight `DELETE` in the partition", _lightweight),
    Way("the same, then `APPLY DELETED MASK`", _lightweight_and_mask),
    Way("TTL `DELETE WHERE`", _ttl),
    Way("`DROP PARTITION`, the class in the partition key", _drop_class, by_class=True),
)

_KEYS: Final[Mapping[str, bool]] = {"by day, as it is": False, "by day and class": True}


# Tables.


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
    measured = f"{table}_removed" if way.remove is _note else table
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


# The results.


def _as_json(cost: Cost) -> dict[str, float]:
    return {name: getattr(cost, name) for name in Cost.__dataclass_fields__}


def _page(
    about: Mapping[str, Any], costs: Mapping[str, Mapping[str, Cost]], inserting: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    yield "# Ways to remove the logs of some services"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- {about['rows']:,} rows of days that are merged; {about['machine']['cores']} cores; engine"
    yield f"  {about['clickhouse']}"
    yield "- CPU and time of the engine, what it read and wrote, the parts that are new afterwards, and what is on disk"
    yield f"  then (of the noted positions: their own table). Inserts: median of those of {_INSERT_ROWS:,} rows"
    yield "  meanwhile, back to back"
    for title, mine in costs.items():
        removed = about["removed"][title]
        yield ""
        yield f"## {removed:,} rows removed, {removed / about['rows']:.0%}"
        yield ""
        heads = ("Way", "CPU s", "s", "MB read", "MB written", "new parts", "rows left", "MB on disk", "inserts, ms")
        yield from as_table(heads, [_cells(name, cost) for name, cost in mine.items()])
    yield ""
    yield "## Inserts, and merging ten of them"
    yield ""
    of_inserts = ("Partition key", "CPU s per million rows", "merging", "parts per insert")
    keys = [
        (
            name,
            f"{mine['insert_cpu_secs_per_million']:.1f}",
            f"{mine['merge_cpu_secs_per_million']:.1f}",
            f"{mine['parts_per_insert']:.1f}",
        )
        for name, mine in inserting.items()
    ]
    yield from as_table(of_inserts, keys)


def _reading_page(positions: int, reading: Mapping[str, float]) -> Iterator[str]:
    yield ""
    yield f"## Reading {positions:,} noted positions"
    yield ""
    yield from as_table(("What", "CPU s"), [(name, f"{secs:.2f}") for name, secs in reading.items()])


def _cells(name: str, cost: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{cost.cpu_secs:.1f}",
        f"{cost.wall_secs:.1f}",
        f"{cost.read_mb:,.0f}",
        f"{cost.written_mb:,.0f}",
        str(cost.parts_anew),
        f"{cost.rows:,}",
        f"{cost.disk_mb:,.1f}",
        f"{cost.insert_ms:.0f}",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Where the CPU time of a million events goes: each step of the service, and what the engine does with the rows."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import median
from typing import Any, Final

from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.native import installed
from app.domain.rows import Rows
from bench.decode_steps import measure_steps, readers
from bench.drain import measure_bare_source, measure_unmerged_drain
from bench.engine_limit import insert_call
from bench.processes import cpu_secs
from bench.report import Measurements
from bench.service import Program
from bench.service_blocks import service_blocks
from bench.stack import DATABASE, BenchStack
from bench.table_cost import COLUMNS, SHIPPED, measure_parts_of_table

_MILLION: Final = 1e6
_TURNS, _ROWS = 30, 400_000
_REPETITIONS_IN_ROUND: Final = 2  # of the engine's work, of which each part is a small difference
_COLUMNS_TABLE, _NOWHERE = "costs_columns", "costs_nowhere"

Costs = dict[str, Any]
"""`service` has the CPU seconds of its steps, `engine` those of inserts and merges by what a table has."""


def measure_costs(stack: BenchStack, python: str, topic: str, events: int, rounds: int) -> Costs:
    """Measure everything on a filled topic; of the drains, and of the engine's work, the median of `rounds`.

    Raises:
        BenchError: something was refused, or did not end.
    """
    drains, sources = [], []
    for number in range(rounds):
        print(f"Round {number + 1}: reading alone, and a drain ...", flush=True)
        sources.append(measure_bare_source(stack, python, topic, events, "auto")["source_cpu_secs_per_million"])
        drain = measure_unmerged_drain(stack, Program(python), topic, events, f"costs_{number}")
        drains.append(drain["service_cpu_secs_per_million"])
    *_, (name, read) = readers().items()  # the one that the service chooses
    steps = {step.removeprefix(f"{name}: "): secs for step, secs in measure_steps(_TURNS, {name: read}).items()}
    blocks = _first(service_blocks(stack, python, topic, events))
    received = _receiving(stack, blocks, rounds)
    parts = measure_parts_of_table(stack, blocks, rounds * _REPETITIONS_IN_ROUND)
    return {
        "service": service_steps(median(drains), median(sources), steps, received["client"]),
        "engine": engine_parts(received["engine"], parts),
    }


def service_steps(whole: float, reading: float, steps: Mapping[str, float], inserting: float) -> Measurements:
    """The steps of the service, which add up to `whole`, the drain without its start.

    `inserting` is what the writer takes from a block to the engine's response, so HTTP is what it takes beside making
    the body, which is not compressed, since the engine is on this machine.
    """
    body = steps["body of the insert"] + steps["words"]
    found = {
        "client: reading Kafka": reading,
        "decoding: records to columns": steps["records to rows"] + steps["limits and receipts"],
        "building: batches, words, blocks": steps["batch of chunks"] + body,
        "HTTP of the inserts": max(0.0, inserting - body),
    }
    return found | {"the rest: loop, leases, commits, metrics": max(0.0, whole - sum(found.values()))}


def engine_parts(receiving: float, parts: Mapping[str, Measurements]) -> dict[str, Measurements]:
    """What the engine does: receiving the rows, storing columns, and what each part of the table adds to that."""
    columns = parts[COLUMNS]
    found = {
        "HTTP, parsing, default values": {"insert": receiving, "merge": 0.0},
        COLUMNS: {"insert": columns["insert"] - receiving, "merge": columns["merge"]},
    }
    for name, part in parts.items():
        if name not in (COLUMNS, SHIPPED):
            found[name] = {work: part[work] - columns[work] for work in columns}
    return found | {SHIPPED: parts[SHIPPED]}


def cost_rows(costs: Costs) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a table: what it is, and CPU seconds of the service, and of the engine at inserts and at merges."""
    service: Measurements = costs["service"]
    for name, secs in service.items():
        yield f"service, {name}", f"{secs:.2f}", "", ""
    yield "**service, a drain without its start**", f"**{sum(service.values()):.2f}**", "", ""
    for name, part in costs["engine"].items():
        cells = (f"{part['insert']:.2f}", f"{part['merge']:.2f}")
        if name == SHIPPED:
            yield f"**engine, {name}**", "", f"**{cells[0]}**", f"**{cells[1]}**"
        else:
            yield f"engine, {name}", "", *cells


def _first(blocks: Sequence[Rows]) -> Sequence[Rows]:
    """As many of the blocks as have the rows that are enough."""
    ends = list(accumulate(block.num_rows for block in blocks))
    return blocks[: bisect_left(ends, _ROWS) + 1]


def _receiving(stack: BenchStack, blocks: Sequence[Rows], rounds: int) -> Measurements:
    """CPU seconds per million rows of client and engine for inserts into a table that stores nothing: medians."""
    stack.create_table(_COLUMNS_TABLE)
    stack.query(f"CREATE TABLE `{DATABASE}`.{_NOWHERE} AS `{DATABASE}`.{_COLUMNS_TABLE} ENGINE = Null")
    writer = ClickHouseWriter(stack.clickhouse_settings(_NOWHERE), installed().forms)
    inserts = [insert_call(writer, block) for block in blocks]
    client, engine = [], []
    for _ in range(rounds):
        client_before, engine_before = time.process_time(), cpu_secs(stack.engine.pid)
        for insert in inserts:
            insert()
        client.append(time.process_time() - client_before)
        engine.append(cpu_secs(stack.engine.pid) - engine_before)
    stack.drop_table(_NOWHERE)
    stack.drop_table(_COLUMNS_TABLE)
    rows = sum(block.num_rows for block in blocks)
    return {"client": median(client) / rows * _MILLION, "engine": median(engine) / rows * _MILLION}

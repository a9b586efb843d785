"""The plain table of the bench: of ratios, all measured by `make bench-ratios` in CI, and of clickhouse_sinker."""

from __future__ import annotations

import uuid
from typing import Any, cast

import pytest

from bench.drain import exactness
from bench.peer_ingesters import SHARED_COLUMNS, create_plain_table, create_plain_table_for_sinker
from bench.stack import DATABASE, BenchStack
from bench.storing import drop_extras, extras_of
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack


def test_the_plain_table_differs_from_the_other_in_its_extras(engine: RunningEngine) -> None:
    stack = BenchStack(cast(Any, None), cast(Any, engine), cast(Any, None))
    plain = f"plain_{uuid.uuid4().hex[:8]}"
    stack.create_table(plain)
    extras = extras_of(stack, plain)

    drop_extras(stack, plain, extras)

    assert {extra.kind for extra in extras} == {"INDEX", "PROJECTION", "CONSTRAINT"}
    assert extras_of(stack, plain) == []


def test_clickhouse_sinker_fills_the_same_plain_table_and_its_positions(engine: RunningEngine) -> None:
    stack = BenchStack(cast(Any, None), cast(Any, engine), cast(Any, None))
    plain, filled = (f"plain_{uuid.uuid4().hex[:8]}" for _ in range(2))
    create_plain_table(stack, plain)
    create_plain_table_for_sinker(stack, filled)

    columns = ", ".join(name for name, *_ in SHARED_COLUMNS)
    values = "now64(9), 'a', 'INFO', 'paid', 'u1', 1.5, 't1', 3, number"
    stack.query(f"INSERT INTO `{DATABASE}`.`{filled}` ({columns}) SELECT {values} FROM numbers(10)")

    assert stored_columns(stack, filled) == stored_columns(stack, plain)
    assert exactness(stack, filled, 10) == {"rows_missing": 0, "rows_twice": 0}
    assert stack.query(f"SELECT min(_partition), max(_offset) FROM `{DATABASE}`.`{filled}`") == "3\t9"


def stored_columns(stack: BenchStack, table: str) -> str:
    return stack.query(
        "SELECT name, type, compression_codec FROM system.columns"
        f" WHERE database = '{DATABASE}' AND table = '{table}' AND default_kind != 'EPHEMERAL'"
    )

"""ClickHouse reads the blocks that the service writes: the rows in the table are those that were sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.text_forms import TextForms
from app.backends.clickhouse.writer import ClickHouseWriter
from app.build.native import installed
from app.domain.rows import SCHEMA, TABLE_COLUMNS, Rows
from app.settings import ClickHouseSettings
from tests.fakes import RECORD_TIME_MS
from tests.support.native import needs_native
from tests.support.sample_rows import sample_rows
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

NEVER_MS = 10_000_000_000_000  # in the year 2286
LENGTHS = (0, 0, 1, 5, 20, 126, 127, 128, 129, 300, 16_383, 16_384)


@pytest.fixture
def settings(engine: RunningEngine) -> Iterator[ClickHouseSettings]:
    """Of a new table."""
    made = clickhouse_settings(engine, "native", table=f"rows_{uuid.uuid4().hex[:12]}", retention_days=3650)
    ensure_table(made)
    yield made
    client = connect(made, timeout_secs=30)
    client.command(f"DROP TABLE {name_of(made)}")
    client.close()


def name_of(settings: ClickHouseSettings) -> str:
    return f"`{settings.database}`.`{settings.table}`"


def stored(settings: ClickHouseSettings) -> Mapping[str, list[Any]]:
    """The columns of all rows in the order of their offsets; texts as bytes."""
    client = connect(settings, timeout_secs=30)
    found = client.query_arrow(
        f"SELECT {', '.join(TABLE_COLUMNS)} FROM {name_of(settings)} ORDER BY _offset",
        settings={"output_format_arrow_string_as_string": 0},
    )
    client.close()
    return columns_of(found.combine_chunks().to_batches()[0])


def columns_of(rows: Rows) -> Mapping[str, list[Any]]:
    return {name: [plain(value) for value in values_of(rows[name])] for name in TABLE_COLUMNS}


def values_of(column: pa.Array) -> list[Any]:
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    found: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return found


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [(plain(key), plain(item)) for key, item in value]
    return value.encode() if isinstance(value, str) else value


def random_rows(rng: Random, count: int, *, names: int) -> Rows:
    """Rows with values of every kind in every column, and as many names of services and attributes as given."""

    def text() -> str:
        return "".join(rng.choices("aZ 0\0\n🔥é'\\", k=rng.choice(LENGTHS)))

    def attributes() -> list[tuple[str, str]]:
        keys = {f"key {rng.randrange(names)}" for _ in range(rng.choice((0, 0, 1, 3)))}
        return [(key, text()) for key in sorted(keys)]

    def value(field: pa.Field, row: int) -> Any:
        if field.name in ("_offset", "Timestamp"):
            return row + (RECORD_TIME_MS * 1_000_000 if field.name == "Timestamp" else 0)
        if field.name in ("ServiceName", "_topic"):
            return f"service {rng.randrange(names)}"
        if pa.types.is_map(field.type):
            return attributes()
        if pa.types.is_floating(field.type):
            return rng.choice((None, 0.0, 0.5, -1e30))
        if pa.types.is_integer(field.type):
            return rng.choice((0, 1, 2**field.type.bit_width - 1 if field.name != "record_time_ms" else 0))
        return rng.randbytes(rng.choice(LENGTHS)) if pa.types.is_binary(field.type) else text()

    return pa.record_batch([pa.array([value(f, row) for row in range(count)], f.type) for f in SCHEMA], schema=SCHEMA)


@pytest.mark.parametrize(
    "forms", [None, pytest.param(installed().forms, marks=needs_native)], ids=["arrow", "compiled"]
)
@pytest.mark.parametrize(("count", "names"), [(1, 1), (2, 1), (300, 3), (600, 300)])
def test_random_rows_come_back_as_they_were_sent(
    settings: ClickHouseSettings, count: int, names: int, forms: TextForms | None
) -> None:
    rows = random_rows(Random(count), count, names=names)

    ClickHouseWriter(settings, forms).insert(rows, uuid.uuid4().hex, NEVER_MS)

    assert stored(settings) == columns_of(rows)


def test_a_part_of_rows_is_stored_alone(settings: ClickHouseSettings) -> None:
    rows = random_rows(Random(7), 200, names=20).slice(50, 100)

    ClickHouseWriter(settings).insert(rows, uuid.uuid4().hex, NEVER_MS)

    assert stored(settings) == columns_of(rows)


@pytest.mark.parametrize("names", [256, 257, 65_536, 65_537])
def test_so_many_names_of_services_and_attributes_come_back(settings: ClickHouseSettings, names: int) -> None:
    rows = sample_rows(names)
    numbered = [f"{number:05}" for number in range(names)]
    given = {"ServiceName": numbered, "LogAttributes": [[(name, "")] for name in numbered]}
    arrays = [pa.array(given[f.name], f.type) if f.name in given else rows[f.name] for f in SCHEMA]
    rows = pa.record_batch(arrays, schema=SCHEMA)

    ClickHouseWriter(settings).insert(rows, uuid.uuid4().hex, NEVER_MS)

    assert stored(settings) == columns_of(rows)


def test_rows_come_back_that_were_compressed_for_a_network(settings: ClickHouseSettings) -> None:
    rows = random_rows(Random(3), 500, names=5)

    ClickHouseWriter(settings, compresses=True).insert(rows, uuid.uuid4().hex, NEVER_MS)

    assert stored(settings) == columns_of(rows)

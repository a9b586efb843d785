"""LogWriter: the contract of `ports.py`, on MemoryTable and on the real ClickHouse engine."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.removal import ClickHouseRemoval
from app.backends.clickhouse.removed import removed_table
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.missing import PROBLEM
from app.domain.reader import REST_ITEM
from app.domain.rows import SCHEMA, TABLE_COLUMNS, Rows, concatenate
from app.errors import Refused, TryAgainLater
from app.maintenance.removal import OfUser, Waiting, remove_now
from app.pipeline.delivery import MARGIN_SECS
from app.ports import LogWriter
from app.settings import ClickHouseSettings
from local.engine.server import EngineServer
from local.ports import free_port
from tests.fakes import RECORD_TIME_MS, Identity, MemoryTable
from tests.support.sample_rows import sample_rows, without_offsets
from tests.support.servers import RunningEngine

TIMEOUT_SECS = 60
NEAR_MS = 1_000
NEVER_DELETED_DAYS = 3650  # the tests' rows are old
NEVER_MS = 10_000_000_000_000  # in the year 2286
DAY_NS = 24 * 3600 * 1_000_000_000
DEFAULTS: dict[str, Any] = {
    "SeverityNumber": 0,
    "ResourceAttributes": [],
    "LogAttributes": [],
    "ResponseTimeMs": None,
    "_topic": "logs",
    "_topic_id": "topic-1",
    "_partition": 0,
    "_item": 0,
    "_items": 1,
    "_raw": b"",
    "record_time_ms": RECORD_TIME_MS,
}


class Table(Protocol):
    """A table as the suite uses it: its writer, and its rows."""

    @property
    def writer(self) -> LogWriter: ...

    def stored(self) -> list[dict[str, Any]]:
        """All rows by offset and item, without columns filled in by the table."""

    def refuse_long_span_ids(self) -> None:
        """Refuse rows with a span id of more than three bytes from now on."""

    def remove(self, user: str) -> None:
        """Remove the rows of a user on purpose."""


class InMemory:
    """MemoryTable."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        self.writer: LogWriter = self.table

    def stored(self) -> list[dict[str, Any]]:
        """See `Table`."""
        return sorted((row for block in self.table.blocks for row in plain(block)), key=_identity)

    def refuse_long_span_ids(self) -> None:
        """See `Table`."""
        self.table.refuses = lambda row: len(row["SpanId"]) > 3

    def remove(self, user: str) -> None:
        """See `Table`."""
        self.table.remove([row["_offset"] for row in self.table.rows() if row["UserId"] == user])


class InClickHouse:
    """A new table, created as by the service."""

    def __init__(self, engine: RunningEngine) -> None:
        self.settings = settings_of(engine)
        self.writer: LogWriter = ClickHouseWriter(self.settings)
        self.client = connect(self.settings, timeout_secs=30)
        ensure_table(self.settings)

    @property
    def name(self) -> str:
        """As SQL has it."""
        return f"`{self.settings.database}`.`{self.settings.table}`"

    def stored(self) -> list[dict[str, Any]]:
        """See `Table`."""
        sql = f"SELECT {', '.join(TABLE_COLUMNS)} FROM {self.name}"
        found = self.client.query_arrow(sql, settings={"output_format_arrow_string_as_string": 0})
        return sorted((row for block in found.to_batches() for row in plain(block)), key=_identity)

    def refuse_long_span_ids(self) -> None:
        """See `Table`."""
        self.client.command(f"ALTER TABLE {self.name} MODIFY COLUMN SpanId FixedString(3)")

    def remove(self, user: str) -> None:
        """See `Table`."""
        removal = ClickHouseRemoval(self.settings, timeout_secs=30)
        remove_now(removal, OfUser(user), Waiting(patience_secs=TIMEOUT_SECS))
        removal.close()

    def parts(self) -> Counter[str]:
        """How many parts each day partition has."""
        answer = self.client.query(
            "SELECT partition FROM system.parts"
            " WHERE active AND database = {database:String} AND table = {table:String}",
            parameters={"database": self.settings.database, "table": self.settings.table},
        )
        return Counter(str(partition) for (partition,) in answer.result_rows)

    def drop(self) -> None:
        """Delete it."""
        for table in (self.name, removed_table(self.settings)):
            self.client.command(f"DROP TABLE IF EXISTS {table}")
        self.client.close()


def settings_of(engine: RunningEngine, **others: Any) -> ClickHouseSettings:
    """Settings for a new table on a server."""
    given = {
        "url": engine.url,
        "user": engine.user or "default",
        "password": engine.password,
        "database": "contract",
        "table": f"writer_{uuid.uuid4().hex[:12]}",
        "retention_days": NEVER_DELETED_DAYS,
    }
    return ClickHouseSettings.model_validate(given | others)


@pytest.fixture
def clickhouse(engine: RunningEngine) -> Iterator[InClickHouse]:
    table = InClickHouse(engine)
    yield table
    table.drop()


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.stack)])
def table(request: pytest.FixtureRequest) -> Table:
    made: Table = InMemory() if request.param == "memory" else request.getfixturevalue("clickhouse")
    return made


def row(offset: int, **columns: Any) -> Rows:
    """A row; columns that are not given are empty."""
    given = {**DEFAULTS, "Timestamp": RECORD_TIME_MS * 1_000_000 + offset, "_offset": offset, **columns}
    return pa.record_batch([pa.array([given.get(f.name, "")], f.type) for f in SCHEMA], schema=SCHEMA)


def item(offset: int, number: int, items: int, reader: str, **columns: Any) -> Rows:
    """One of several rows of a record, each of another day."""
    time_ns = RECORD_TIME_MS * 1_000_000 + number * DAY_NS
    return row(offset, Timestamp=time_ns, _item=number, _items=items, _reader=reader, **columns)


def insert(writer: LogWriter, rows: Rows, token: str | None = None, deadline_ms: int = NEVER_MS) -> None:
    """Insert rows with a new token, or the given one."""
    writer.insert(rows, token or uuid.uuid4().hex, deadline_ms)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + TIMEOUT_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {TIMEOUT_SECS} s"
        time.sleep(0.01)


def insert_when_it_can_be(writer: LogWriter, rows: Rows, token: str) -> None:
    """Insert rows, retrying while an earlier attempt with the token is running."""
    deadline = time.monotonic() + TIMEOUT_SECS
    while True:
        try:
            insert(writer, rows, token)
        except TryAgainLater:
            assert time.monotonic() < deadline, "the server does not accept the rows again"
        else:
            return


def plain(rows: Rows) -> list[dict[str, Any]]:
    """The rows as stored in the table: strings as bytes, times as nanoseconds, attributes as a mapping."""
    columns = {name: [_plain(value) for value in _column(rows, name)] for name in TABLE_COLUMNS}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _column(rows: Rows, name: str) -> Sequence[Any]:
    column = rows[name]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: Sequence[Any] = column.to_pylist()
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return {_plain(key): _plain(item) for key, item in value}
    return value.encode() if isinstance(value, str) else value


def _identity(stored: Mapping[str, Any]) -> tuple[Any, ...]:
    return stored["_topic_id"], stored["_partition"], stored["_offset"], stored["_item"]


def identities_of(rows: Rows) -> list[Identity]:
    """Identities of rows, in their order."""
    columns = (rows[name].to_pylist() for name in ("_topic_id", "_partition", "_offset", "_item"))
    return [Identity(*values) for values in zip(*columns, strict=True)]


def stored_offsets(table: Table) -> list[int]:
    """Offsets of stored rows; equal ones are duplicates."""
    return [stored["_offset"] for stored in table.stored()]


# Inserting.


def test_rows_come_back_exactly_as_they_were_sent(table: Table) -> None:
    rows = concatenate(
        [
            row(0),
            row(
                1,
                Timestamp=1_700_000_000_123_456_789,
                TraceId="4bf92f3577b34da6a3ce929d0e0e4736",
                SpanId="00f067aa0ba902b7",
                SeverityText="ERROR",
                SeverityNumber=255,
                ServiceName="payment-service",
                Body="NUL \x00, tab\t, line\r\n, quote ' \" \\, emoji 🔥 é, \ufffd",
                ResourceAttributes=[("host.name", "a"), ("", "")],
                LogAttributes=[("k", "v"), ("k.🔥", "\x00"), ("long", "x" * 100_000)],
                UserId="Ω",
                ResponseTimeMs=87.5,
                ParseError="not JSON",
                _raw=b"\x00\xff\xfe\x80 invalid \xc3\x28",
            ),
            row(2**48 - 1, ResponseTimeMs=0.0, _partition=65535, _item=65535, _topic_id="topic-2", _topic="other"),
            row(2**48, _item=1, _items=65535, _reader="0123abcd"),
            row(3, Timestamp=RECORD_TIME_MS * 1_000_000 - 1, Body=" ", _raw=bytes(range(256))),
        ]
    )

    insert(table.writer, rows)

    assert table.stored() == sorted(plain(rows), key=_identity)


def test_an_insert_with_the_token_of_an_earlier_one_is_dropped(table: Table) -> None:
    rows = sample_rows(3)
    insert(table.writer, rows, "a token")

    insert(table.writer, rows, "a token")
    insert(table.writer, sample_rows(2, first_offset=100), "a token")

    assert stored_offsets(table) == [0, 1, 2]


def test_the_same_rows_with_another_token_are_stored_again(table: Table) -> None:
    rows = sample_rows(2)

    insert(table.writer, rows, "a token")
    insert(table.writer, rows, "another token")

    assert stored_offsets(table) == [0, 0, 1, 1]


def test_an_insert_with_a_row_that_is_refused_stores_none(table: Table) -> None:
    table.refuse_long_span_ids()
    rows = concatenate([row(0, SpanId="abc"), row(1, SpanId="too long"), row(2, SpanId="abc")])

    with pytest.raises(Refused) as raised:
        insert(table.writer, rows)

    assert raised.value.code.isdecimal()
    assert table.stored() == []
    insert(table.writer, row(0, SpanId="abc"))
    assert stored_offsets(table) == [0]


@pytest.mark.stack
def test_an_insert_is_one_part_for_each_day(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake has no parts."""
    half = sample_rows(50_000)
    next_day = [value + DAY_NS for value in half["Timestamp"].cast(pa.int64()).to_pylist()]
    columns = {**dict(zip(SCHEMA.names, half.columns, strict=True)), "Timestamp": next_day}
    columns["_offset"] = range(50_000, 100_000)
    other_half = pa.record_batch([pa.array(columns[f.name], f.type) for f in SCHEMA], schema=SCHEMA)

    insert(clickhouse.writer, concatenate([half, other_half]))

    assert clickhouse.parts() == {"2023-11-14": 1, "2023-11-15": 1}
    assert clickhouse.client.query(f"SELECT count(), uniqExact(_offset) FROM {clickhouse.name}").result_rows == [
        (100_000, 100_000)
    ]


@pytest.mark.stack
def test_an_insert_may_span_more_days_than_the_server_would_let_it_by_itself(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake has no limit on days; the server's limit is 100."""
    rows = concatenate([row(day, Timestamp=RECORD_TIME_MS * 1_000_000 - day * DAY_NS) for day in range(120)])
    patient = ClickHouseWriter(clickhouse.settings.model_copy(update={"insert_deadline_secs": 60.0}))

    insert(patient, rows)  # 120 parts: many seconds on a busy machine

    assert len(clickhouse.parts()) == 120
    assert identities_of(clickhouse.writer.missing(rows)) == []


@pytest.mark.stack
def test_an_insert_overrides_what_the_user_may_have_set(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake has no settings. A column stores the settings of the insert of its row."""
    names = ("async_insert", "max_insert_threads", "max_partitions_per_insert_block", "max_insert_block_size")
    for name in names:
        clickhouse.client.command(
            f"ALTER TABLE {clickhouse.name} ADD COLUMN held_{name} String DEFAULT toString(getSetting('{name}'))"
        )

    insert(clickhouse.writer, row(0))

    columns = ", ".join(f"held_{name}" for name in names)
    [held] = clickhouse.client.query(f"SELECT {columns} FROM {clickhouse.name}").result_rows
    assert [value.lower() for value in held] == ["false", "1", "0", "1048449"]


# Deadlines, their clock, and running inserts.


def test_an_insert_that_comes_after_its_deadline_stores_nothing(table: Table) -> None:
    with pytest.raises(TryAgainLater) as raised:
        insert(table.writer, row(0), "a token", table.writer.now_ms() - 1)

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("469", False)
    assert raised.value.max_attempts is not None
    assert table.stored() == []


def test_the_token_of_an_insert_that_came_too_late_is_not_remembered(table: Table) -> None:
    with pytest.raises(TryAgainLater):
        insert(table.writer, row(0), "a token", table.writer.now_ms() - 1)

    insert(table.writer, row(0), "a token", table.writer.now_ms() + 60_000)

    assert stored_offsets(table) == [0]


def test_an_insert_that_comes_before_its_deadline_is_stored(table: Table) -> None:
    insert(table.writer, row(0), deadline_ms=table.writer.now_ms() + 60_000)

    assert stored_offsets(table) == [0]


@pytest.mark.stack
def test_the_deadline_is_stored_with_every_row(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake has no columns."""
    deadline_ms = clickhouse.writer.now_ms() + 60_123

    insert(clickhouse.writer, sample_rows(3), deadline_ms=deadline_ms)

    sql = f"SELECT DISTINCT toUnixTimestamp64Milli(_deadline) FROM {clickhouse.name}"
    assert clickhouse.client.query(sql).result_rows == [(deadline_ms,)]


@pytest.mark.stack
def test_a_row_of_another_writer_that_names_no_deadline_is_taken(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake has no columns."""
    clickhouse.client.command(f"INSERT INTO {clickhouse.name} (Timestamp, Body) VALUES (now64(9), 'by hand')")

    assert [stored["Body"] for stored in clickhouse.stored()] == [b"by hand"]


@pytest.mark.stack
def test_clickhouses_clock_is_near_the_real_time(clickhouse: InClickHouse) -> None:
    """Only on the real engine: the fake's clock is advanced manually."""
    before_ms = time.time() * 1000
    now_ms = clickhouse.writer.now_ms()
    after_ms = time.time() * 1000

    assert before_ms - NEAR_MS < now_ms < after_ms + NEAR_MS


def test_nothing_runs_when_nothing_was_sent(table: Table) -> None:
    insert(table.writer, row(0), "a token")

    assert "a token" not in table.writer.running()


@pytest.mark.stack
def test_an_insert_is_listed_as_running_until_it_has_ended(clickhouse: InClickHouse) -> None:
    """Only on the real engine: inserts of the fake take no time."""
    clickhouse.client.command(f"ALTER TABLE {clickhouse.name} ADD COLUMN slow UInt8 DEFAULT sleepEachRow(1)")
    another = ClickHouseWriter(clickhouse.settings)
    thread = threading.Thread(target=insert, args=(clickhouse.writer, sample_rows(2), "a token"))
    thread.start()
    try:
        wait_until(lambda: "a token" in another.running())
    finally:
        thread.join(TIMEOUT_SECS)

    assert "a token" not in another.running()
    assert stored_offsets(clickhouse) == [0, 1]


@pytest.mark.stack
def test_an_abandoned_insert_is_listed_as_running_until_it_has_ended(clickhouse: InClickHouse) -> None:
    """Only on the real engine: inserts of the fake take no time."""
    clickhouse.client.command(f"ALTER TABLE {clickhouse.name} ADD COLUMN slow UInt8 DEFAULT sleepEachRow(3)")
    impatient = ClickHouseWriter(clickhouse.settings.model_copy(update={"insert_deadline_secs": 1.0 - MARGIN_SECS}))

    with pytest.raises(TryAgainLater) as raised:
        insert(impatient, row(0), "a token")

    assert raised.value.is_outcome_unknown
    assert "a token" in clickhouse.writer.running()
    wait_until(lambda: "a token" not in clickhouse.writer.running())
    assert stored_offsets(clickhouse) == [0]


# Finding missing rows.


def test_nothing_is_missing_of_what_was_inserted(table: Table) -> None:
    rows = sample_rows(1000)
    insert(table.writer, rows)

    assert table.writer.missing(rows).num_rows == 0


def test_everything_is_missing_in_an_empty_table(table: Table) -> None:
    rows = sample_rows(3)

    assert table.writer.missing(rows) == rows


def test_missing_rows_are_returned_whole_and_in_order(table: Table) -> None:
    rows = sample_rows(10)
    insert(table.writer, without_offsets(rows, {0, 4, 5, 9}))

    missing = table.writer.missing(rows)

    assert missing == rows.take([0, 4, 5, 9])
    insert(table.writer, missing)
    assert stored_offsets(table) == list(range(10))


@pytest.mark.parametrize(
    "other",
    [{"_partition": 1}, {"_topic_id": "topic-2"}, {"_item": 1}, {"_offset": 8}],
    ids=["partition", "topic", "item", "offset"],
)
def test_a_row_that_differs_in_one_part_of_its_identity_is_another_one(table: Table, other: dict[str, Any]) -> None:
    insert(table.writer, row(7, _items=2))
    rows = concatenate([row(7, _items=2), row(7, **{"_items": 2, **other})])

    assert identities_of(table.writer.missing(rows)) == identities_of(row(7, **other))


def test_missing_rows_are_found_across_partitions_topics_items_and_days(table: Table) -> None:
    rows = concatenate(
        [
            row(offset, _topic_id=topic_id, _partition=partition, _item=item, _items=65535, Timestamp=time)
            for topic_id in ("topic-1", "topic-2")
            for partition in (0, 7)
            for offset in (5, 2**40)
            for item in (0, 1, 65534)
            for time in [RECORD_TIME_MS * 1_000_000 - item * DAY_NS % (5 * DAY_NS) - offset % 3]
        ]
    )
    is_stored = [n % 5 in (0, 3) for n in range(rows.num_rows)]
    insert(table.writer, rows.filter(pa.array(is_stored)))

    missing = table.writer.missing(rows)

    assert identities_of(missing) == [p for p, stored in zip(identities_of(rows), is_stored, strict=True) if not stored]


@pytest.mark.parametrize("others", [[0, 1], [0], [1]], ids=["whole", "first", "last"])
@pytest.mark.parametrize("ours", [1, 2, 3])
def test_a_record_that_another_reader_has_stored_is_completed_by_rule(
    table: Table, others: list[int], ours: int
) -> None:
    """Of two rows on two days; the rule itself is tested in unit/domain/test_missing.py."""
    insert(table.writer, concatenate([item(7, number, 2, "theirs") for number in others]))
    rows = concatenate([*(item(7, number, ours, "ours") for number in range(ours)), item(8, 0, 1, "ours")])

    missing = table.writer.missing(rows)
    insert(table.writer, missing)

    by_number = [number for number in (0, 1) if number not in others]
    by_rule = by_number if ours == 2 else [REST_ITEM] if by_number else []
    assert [stored["_item"] for stored in table.stored() if stored["_offset"] == 7] == sorted([*others, *by_rule])
    assert {(stored["_item"], stored["_reader"]) for stored in table.stored() if stored["_offset"] == 7} == {
        *((number, b"theirs") for number in others),
        *((number, b"ours") for number in by_rule),
    }
    assert stored_offsets(table).count(8) == 1
    assert table.writer.missing(rows).num_rows == 0


def test_a_row_that_finishes_a_record_holds_all_of_it(table: Table) -> None:
    insert(table.writer, item(7, 1, 2, "theirs"))
    rows = concatenate([item(7, number, 3, "ours", Body=f"event {number}") for number in range(3)])

    insert(table.writer, table.writer.missing(rows))

    [_, finishing] = table.stored()
    assert (finishing["_items"], finishing["ParseError"]) == (2, PROBLEM.encode())
    assert [held["Body"] for held in json.loads(finishing["_raw"])] == ["event 0", "event 1", "event 2"]


# The last stored offset.


def test_the_last_offset_is_the_highest_of_its_topic_and_partition(table: Table) -> None:
    insert(table.writer, concatenate([row(3), row(9), row(4), row(20, _partition=1), row(30, _topic_id="topic-2")]))
    insert(table.writer, concatenate([row(5), row(2**48)]))

    last = table.writer.last_offset
    assert [last("topic-1", 0), last("topic-1", 1), last("topic-2", 0)] == [2**48, 20, 30]


def test_there_is_no_last_offset_of_what_is_not_stored(table: Table) -> None:
    insert(table.writer, row(0))

    last = table.writer.last_offset
    assert [last("topic-1", 0), last("topic-1", 1), last("topic-2", 0)] == [0, None, None]


def test_the_writer_may_be_called_from_another_thread_each_time(table: Table) -> None:
    for offset in range(3):
        thread = threading.Thread(target=insert, args=(table.writer, row(offset)))
        thread.start()
        thread.join()

    assert stored_offsets(table) == [0, 1, 2]


# Failures of ClickHouse. The fake raises scripted errors; these tests show the errors of the real engine.


CALLS: dict[str, Callable[[LogWriter], object]] = {
    "insert": lambda writer: insert(writer, row(0)),
    "missing": lambda writer: writer.missing(row(0)),
    "last_offset": lambda writer: writer.last_offset("topic-1", 0),
}
CLOCK_CALLS: dict[str, Callable[[LogWriter], object]] = {
    "now_ms": lambda writer: writer.now_ms(),
    "running": lambda writer: writer.running(),
}
every_table_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
every_call = pytest.mark.parametrize("call", (CALLS | CLOCK_CALLS).values(), ids=(CALLS | CLOCK_CALLS).keys())


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """A server with a password that a test may pause."""
    server = EngineServer(tmp_path_factory.mktemp("own-engine"), free_port(), user="writer", password="right")
    server.start()
    yield server
    server.kill()


@pytest.mark.stack
@every_table_call
def test_a_missing_table_is_to_be_retried(clickhouse: InClickHouse, call: Callable[[LogWriter], object]) -> None:
    clickhouse.client.command(f"DROP TABLE {clickhouse.name}")

    with pytest.raises(TryAgainLater, match=clickhouse.settings.table) as raised:
        call(clickhouse.writer)

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("60", False)


@pytest.mark.stack
def test_a_row_that_violates_a_constraint_is_retried_a_limited_number_of_times(clickhouse: InClickHouse) -> None:
    clickhouse.client.command(f"ALTER TABLE {clickhouse.name} ADD CONSTRAINT polite CHECK Body != 'rude'")

    with pytest.raises(TryAgainLater, match="polite") as raised:
        insert(clickhouse.writer, concatenate([row(0, Body="kind"), row(1, Body="rude")]))

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("469", False)
    assert raised.value.max_attempts is not None
    assert clickhouse.stored() == []


@pytest.mark.stack
@every_call
def test_a_wrong_password_is_to_be_retried(own_engine: EngineServer, call: Callable[[LogWriter], object]) -> None:
    writer = ClickHouseWriter(settings_of(own_engine, password="wr0ng"))

    with pytest.raises(TryAgainLater, match="Authentication failed") as raised:
        call(writer)

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("516", False)
    assert "wr0ng" not in str(raised.value)


@pytest.mark.stack
@every_call
def test_an_unreachable_server_is_an_unknown_outcome(call: Callable[[LogWriter], object]) -> None:
    settings = ClickHouseSettings(url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(TryAgainLater) as raised:
        call(ClickHouseWriter(settings))

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("unreachable", True)


@pytest.mark.stack
def test_a_timeout_is_an_unknown_outcome_that_the_token_resolves(
    own_engine: EngineServer,
) -> None:
    settings = settings_of(own_engine, insert_deadline_secs=1)
    ensure_table(settings)
    writer = ClickHouseWriter(settings)
    insert(writer, row(0))

    own_engine.pause()
    try:
        with pytest.raises(TryAgainLater) as raised:
            insert(writer, row(1), "a token")
    finally:
        own_engine.resume()
    insert_when_it_can_be(writer, row(1), "a token")

    assert (raised.value.code, raised.value.is_outcome_unknown) == ("unreachable", True)
    client = connect(settings, timeout_secs=30)
    offsets = client.query(f"SELECT _offset FROM `{settings.database}`.`{settings.table}` ORDER BY ALL").result_rows
    client.close()
    assert offsets == [(0,), (1,)]


@pytest.mark.stack
def test_a_writer_goes_on_when_its_server_comes_back(tmp_path: Path) -> None:
    server = EngineServer(tmp_path / "clickhouse", free_port())
    server.start()
    try:
        settings = settings_of(server)
        ensure_table(settings)
        writer = ClickHouseWriter(settings)
        insert(writer, row(0))

        server.kill()
        with pytest.raises(TryAgainLater) as raised:
            insert(writer, row(1), "a token")
        server.start()
        insert(writer, row(1), "a token")

        assert raised.value.is_outcome_unknown
        assert identities_of(writer.missing(concatenate([row(0), row(1), row(2)]))) == identities_of(row(2))
    finally:
        server.kill()


# Rows that were removed on purpose.


def test_rows_that_were_removed_are_not_missing(table: Table) -> None:
    rows = concatenate([row(0), row(1, UserId="u"), row(2)])
    insert(table.writer, rows)

    table.remove("u")

    assert stored_offsets(table) == [0, 2]
    assert table.writer.missing(rows).num_rows == 0


def test_the_offset_of_a_removed_row_may_be_the_last(table: Table) -> None:
    insert(table.writer, concatenate([row(0), row(1, UserId="u"), row(7, UserId="u", _partition=1)]))

    table.remove("u")

    assert [table.writer.last_offset("topic-1", partition) for partition in (0, 1, 2)] == [1, 7, None]


def test_a_record_of_which_a_row_was_removed_is_complete(table: Table) -> None:
    rows = concatenate([item(0, number, 2, "a", UserId="u" if number else "") for number in (0, 1)])
    insert(table.writer, rows)

    table.remove("u")

    assert table.writer.missing(rows).num_rows == 0
    assert table.writer.missing(row(0)).num_rows == 0  # as another version reads it


def test_rows_that_are_stored_after_a_removal_stay(table: Table) -> None:
    insert(table.writer, row(0, UserId="u"))
    table.remove("u")

    insert(table.writer, row(1, UserId="u"))

    assert stored_offsets(table) == [1]
    assert identities_of(table.writer.missing(concatenate([row(0), row(1), row(2)]))) == identities_of(row(2))

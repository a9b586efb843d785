"""Thirty days of logs, generated inside ClickHouse: sending as many rows through Kafka would take hours.

Fifty services, a few of which write most; 100,000 users, likewise; messages modelled on real log lines, full of ids;
traces of five rows; busier by day than by night. Sometimes a service has an incident: errors and slow responses. Every
call generates the same rows except for their times, which end now.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import BenchError
from bench.stack import DATABASE, BenchStack

DAYS: Final = 30
SERVICES: Final = 50
USERS: Final = 100_000
ROUTES: Final = 20
PARTITIONS: Final = 8
TOPIC_ID: Final = "history"

_DAY_MS: Final = 86_400_000
_MARGIN_MS: Final = 4 * 3_600_000  # otherwise the first rows would expire while queries run
_AT_ONCE: Final = 1_000_000
_BODIES: Final = Path(__file__).with_name("history_bodies.txt")
_PLACEHOLDER: Final = re.compile(r"\{(number|uuid|ip|hex)\}")
_KINDS: Final = ("", "number", "uuid", "ip", "hex")
_MAX_PLACEHOLDERS: Final = 3


def service_name(number: int) -> str:
    """The name of the service with this number; lower numbers write more."""
    return f"service-{number:02d}"


def route(number: int) -> str:
    """The route with this number."""
    return f"/api/v1/resource-{number:02d}"


def prepare_history(stack: BenchStack, table: str, rows: int) -> None:
    """Make a table with this history, its past days merged; one that is there already, and has rows, stays as it is.

    Raises:
        BenchError: the engine refuses it.
    """
    stack.create_table(table)
    if not int(stack.query(f"SELECT count() FROM `{DATABASE}`.`{table}`")):
        print(f"Loading {rows:,} rows ...", flush=True)
        began = time.monotonic()
        load_history(stack, table, rows)
        print(f"    {time.monotonic() - began:,.0f} s; merging days ...", flush=True)
        merge_days(stack, table)
    stack.wait_until_idle()


def load_history(stack: BenchStack, table: str, rows: int, *, now: float | None = None) -> None:
    """Insert `rows` generated rows into a table of schema.sql, oldest first.

    Raises:
        BenchError: the engine refuses them.
    """
    end_ms = round((time.time() if now is None else now) * 1000)
    for first, count in _pieces(rows):
        stack.query(f"INSERT INTO `{DATABASE}`.`{table}` ({', '.join(COLUMNS)}) {_rows(first, count, rows, end_ms)}")


def merge_days(stack: BenchStack, table: str) -> None:
    """Merge each past day into one part, as the table's settings make ClickHouse do some hours later.

    Raises:
        BenchError: the engine refuses it.
    """
    days = stack.query(
        f"SELECT DISTINCT partition FROM system.parts WHERE active AND database = '{DATABASE}' AND table = '{table}'"
        " ORDER BY partition"
    ).split()
    for day in days[:-1]:
        _merge_day(stack, table, day)


def _merge_day(stack: BenchStack, table: str, day: str) -> None:
    stack.query(f"OPTIMIZE TABLE `{DATABASE}`.`{table}` PARTITION '{day}' FINAL")


@dataclass(slots=True)
class Merging:
    """How often a day has been merged."""

    count: int = 0


@contextmanager
def merging_a_day(stack: BenchStack, table: str) -> Iterator[Merging]:
    """Merge the largest day of a table into one part again and again, as ClickHouse does once when a day is over.

    Raises:
        BenchError: the engine refuses it, or not one merge was finished.
    """
    day = stack.query(
        f"SELECT partition FROM system.parts WHERE active AND database = '{DATABASE}' AND table = '{table}'"
        " GROUP BY partition ORDER BY sum(rows) DESC LIMIT 1"
    )
    merging, is_over = Merging(), threading.Event()

    def merge() -> None:
        while not is_over.is_set():
            _merge_day(stack, table, day)
            merging.count += 1

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(merge)
        try:
            yield merging
        finally:
            is_over.set()
    done.result()
    if not merging.count:
        raise BenchError("no merge of a day was finished")


def _pieces(rows: int) -> Iterator[tuple[int, int]]:
    """First number and count of the rows of each insert, within one day: an insert makes a part per day it touches."""
    for day in range(DAYS):
        first, end = rows * day // DAYS, rows * (day + 1) // DAYS
        for start in range(first, end, _AT_ONCE):
            yield start, min(_AT_ONCE, end - start)


@dataclass(frozen=True, slots=True)
class _Message:
    """The fixed texts of a message, and the kinds of the values between them (indexes into `_KINDS`)."""

    weight: int
    texts: Sequence[str]
    kinds: Sequence[int]


def _messages() -> list[_Message]:
    messages = []
    for line in _BODIES.read_text().splitlines():
        if line.startswith("#"):
            continue
        weight, text = line.split(" ", 1)
        pieces = _PLACEHOLDER.split(text)
        texts, kinds = pieces[::2], [_KINDS.index(kind) for kind in pieces[1::2]]
        missing = _MAX_PLACEHOLDERS - len(kinds)
        messages.append(_Message(int(weight), texts + [""] * missing, kinds + [0] * missing))
    return messages


def _array(values: Sequence[object]) -> str:
    return "[" + ", ".join(f"'{value}'" if isinstance(value, str) else str(value) for value in values) + "]"


def _body(messages: Sequence[_Message]) -> str:
    """SQL for the message with number `message`, with its placeholders filled in."""
    numbers = ("toString(h2 % 1000)", "toString(h3 % 100000000)", "toString(h4 % 100000)")
    pieces = [f"{_array([each.texts[0] for each in messages])}[message]"]
    for index in range(_MAX_PLACEHOLDERS):
        values = f"['', {numbers[index]}, uuid, ip, hex]"
        pieces.append(f"{values}[{_array([1 + each.kinds[index] for each in messages])}[message]]")
        pieces.append(f"{_array([each.texts[index + 1] for each in messages])}[message]")
    return f"concat({', '.join(pieces)})"


def _rows(first: int, count: int, rows: int, end_ms: int) -> str:
    """A SELECT that generates `count` rows from number `first` on; each row is a function of its number."""
    messages = _messages()
    weighted = [number for number, message in enumerate(messages, 1) for _ in range(message.weight)]
    span_ms = DAYS * _DAY_MS - _MARGIN_MS
    return f"""
WITH
    number + {first} AS n,
    cityHash64(n, 1) AS h1, cityHash64(n, 2) AS h2, cityHash64(n, 3) AS h3, cityHash64(n, 4) AS h4, cityHash64(n, 5) AS h5,
    cityHash64(intDiv(n, 5), 6) AS trace,
    n / {rows} * {DAYS} AS day,
    day + 0.1 * sin(2 * pi() * day) AS time_in_days,
    {end_ms - span_ms} + toInt64(least(time_in_days, {DAYS}) / {DAYS} * {span_ms}) AS time_ms,
    toUInt32(floor({SERVICES} * pow(h1 % 1000003 / 1000003, 3))) AS service,
    toUInt32(floor({USERS} * pow(h2 % 1000003 / 1000003, 4))) AS user,
    service = intDiv(time_ms, 1200000) % 197 AS is_incident,
    h3 % 1000 AS luck,
    multiIf(luck < if(is_incident, 400, 25), 'ERROR', luck < if(is_incident, 600, 95), 'WARN', luck < 950, 'INFO', 'DEBUG')
        AS level,
    {_array(weighted)}[1 + h4 % {len(weighted)}] AS message,
    concat(lower(hex(h1)), lower(hex(h5))) AS long_hex,
    concat(substring(long_hex, 1, 8), '-', substring(long_hex, 9, 4), '-4', substring(long_hex, 13, 3), '-a',
        substring(long_hex, 17, 3), '-', substring(long_hex, 20, 12)) AS uuid,
    concat('10.', toString(h1 % 32), '.', toString(h2 % 64), '.', toString(h3 % 256)) AS ip,
    lower(hex(h3)) AS hex,
    if(h5 % 10 < 6, toNullable(toFloat32(round(
        (5 + service) * if(is_incident, 12, 1) * exp(0.6 * sqrt(-2 * log((h1 % 999983 + 1) / 999984)) * cos(2 * pi() * (h4 % 999983) / 999983)),
        2))), NULL) AS response_ms,
    if(level = 'ERROR', 500 + h4 % 4, if(luck % 20 = 0, 404, 200)) AS status
SELECT
    fromUnixTimestamp64Milli(time_ms, 'UTC') + toIntervalNanosecond(h5 % 1000000) AS Timestamp,
    if(h1 % 10 < 8, concat(lower(hex(trace)), lower(hex(cityHash64(trace)))), '') AS TraceId,
    if(h1 % 10 < 8, lower(hex(h2)), '') AS SpanId,
    level AS SeverityText,
    transform(level, ['DEBUG', 'INFO', 'WARN', 'ERROR'], [5, 9, 13, 17], 9) AS SeverityNumber,
    concat('service-', leftPad(toString(service), 2, '0')) AS ServiceName,
    {_body(messages)} AS Body,
    map('host.name', concat('host-', toString(service), '-', toString(h5 % 8)), 'service.version', concat('1.', toString(service % 7)))
        AS ResourceAttributes,
    map('http.method', ['GET', 'GET', 'GET', 'POST', 'PUT'][1 + h1 % 5],
        'http.route', concat('/api/v1/resource-', leftPad(toString(toUInt32(floor({ROUTES} * pow(h5 % 1009 / 1009, 2)))), 2, '0')),
        'http.status_code', toString(status),
        'thread', concat('worker-', toString(h2 % 32))) AS LogAttributes,
    if(h4 % 10 < 7, toString(user), '') AS UserId,
    response_ms AS ResponseTimeMs,
    'history' AS _topic, '{TOPIC_ID}' AS _topic_id, n % {PARTITIONS} AS _partition, intDiv(n, {PARTITIONS}) AS _offset, 0 AS _item,
    fromUnixTimestamp64Milli(intDiv(time_ms, 1000) * 1000 + 1500, 'UTC') AS _ingested, -- one moment for a whole batch
    now64(3) + 3600 AS _deadline
FROM numbers({count})
"""  # noqa: E501


COLUMNS: Final = (
    *("Timestamp", "TraceId", "SpanId", "SeverityText", "SeverityNumber", "ServiceName", "Body"),
    *("ResourceAttributes", "LogAttributes", "UserId", "ResponseTimeMs"),
    *("_topic", "_topic_id", "_partition", "_offset", "_item", "_ingested", "_deadline"),
)

"""F24 and F25: odd records, and another version of the service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from kafka.admin import ConfigResource, ConfigResourceType

from local.paths import ROOT
from tests.faults.fault import Fault
from tests.faults.http_proxy import Exchange
from tests.faults.world import PARTITIONS, Setup, World

_BOMB_BYTES = 20_000_000  # from some kilobytes; one row
_ODD: list[bytes | None] = [
    None,
    b"",
    b"\x00",
    b"\xff\xfe\xfa not UTF-8",
    b'{"message": "cut of',
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"message": "old", "timestamp": "1900-01-01T00:00:00Z"}',
    b'{"message": "far", "timestamp": "9999-12-31T23:59:59Z"}',
    b'{"message": "huge", "timestamp": 1e300}',
    b'{"message": "not a number", "response_time_ms": NaN}',
    b'{"message": "int64 + 1", "response_time_ms": 9223372036854775808, "n": 18446744073709551616}',
    b'{"message": "a", "message": "b"}',
    b'{"message": {"nested": ["x", null]}, "level": 7, "service": ["s"]}',
    b"null",
    b"[1, 2]",
    b"x" * 1_000_000,
    b'{"message": "' + b"\\u0000" * 1_000 + b'"}',
    b"{" + b",".join(b'"key%d": %d' % (n, n) for n in range(20_000)) + b"}",
]


def _odd_records(world: World, number: int) -> float:
    """Send one of each between events, and one that is small only when compressed."""
    for index, value in enumerate(_ODD):
        world.load.send_odd(value, partition=(number + index) % PARTITIONS)
    world.load.send_odd(b"\x20" * _BOMB_BYTES, partition=number % PARTITIONS, compression="gzip")
    lines = [("content-type", b"application/x-ndjson")]
    world.load.send_odd(b'{"message": "1"}\n{"message": "2"}\nnot JSON\n', partition=0, headers=lines)
    return world.recovery_secs()


_LARGE_BYTES = 50_000_000


def _large() -> Iterator[tuple[bytes, str | None]]:
    """Values with their compression."""
    yield b"x" * _LARGE_BYTES, None
    yield b'{"a":[' + b'{"":0},' * (_LARGE_BYTES // 7) + b"0]}", None  # parsed, it would be twenty times as large
    yield b"\x20" * _LARGE_BYTES, "zstd"


def _allow_large(world: World) -> None:
    """Raise the limit of the topic, as an operator would; the service needs no setting."""
    allowed = {"max.message.bytes": str(2 * _LARGE_BYTES)}
    with world.admin() as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, world.topic, allowed)])


def _large_records(world: World, number: int) -> float:
    """Text, JSON, and some kilobytes that decompress to the same size; all are stored whole."""
    stored = _count_large(world)
    sent = 0
    for value, compression in _large():
        world.load.send_odd(value, partition=(number + sent) % PARTITIONS, compression=compression)
        sent += 1
    secs = world.recovery_secs()
    assert _count_large(world) == stored + sent, "large records were not stored whole"
    return secs


def _count_large(world: World) -> int:
    return int(world.query(f"SELECT countIf(length(Body) >= {_LARGE_BYTES}) FROM logs.logs")[0][0])


# A later version that makes two rows of every one, of which the first has another time, and so another day.
_LATER_DECODER = """

import pyarrow as pa
import pyarrow.compute as pc

_decoded_as_before = decoded


def _changed(rows, columns):
    return pa.record_batch([columns.get(name, rows[name]) for name in rows.schema.names], schema=rows.schema)


def decoded(read, rules):
    before = _decoded_as_before(read, rules)
    rows = _changed(before.rows, {"_reader": pa.repeat(pa.scalar("later"), before.rows.num_rows)})
    earlier = pc.subtract(rows["Timestamp"], pa.scalar(90_000 * 10**9, pa.duration("ns")))
    one, two = pa.scalar(1, pa.uint16()), pa.scalar(2, pa.uint16())
    even, count = pc.multiply(rows["_item"], two), pc.multiply(rows["_items"], two)
    first = _changed(rows, {"Timestamp": earlier, "_item": even, "_items": count})
    second = _changed(rows, {"_item": pc.add(even, one), "_items": count})
    return Decoded(pa.concat_batches([first, second]), before.problems)
"""

_UNEVEN_RECORDS = """
SELECT count() FROM
(
    SELECT 1 FROM logs.logs GROUP BY _topic_id, _partition, _offset HAVING count() != argMax(_items, _item)
)
"""


def _upgraded(world: World, number: int) -> float:
    """Kill the service while the outcome of its insert is unknown; the next version makes other rows of the records."""

    def how(exchange: Exchange) -> None:
        if number % 3 == 2:
            with exchange.deliver_part(0.5):
                world.service.hold()
        else:
            exchange.deliver()
            world.service.hold()

    world.engine_proxy.strike(how)
    world.command(f"ALTER TABLE logs.logs ADD COLUMN extra_{number} String DEFAULT 'new'")
    world.replace_service(_later_version(world.directory) if number % 2 == 0 else ROOT)
    secs = world.recovery_secs()
    if number % 2 == 0:
        assert world.query("SELECT count() > 0 FROM logs.logs WHERE Timestamp < now() - 80000") == [(True,)]
    # The parts of an insert over two days are not stored in the same moment.
    world.wait_until(lambda: world.query(_UNEVEN_RECORDS) == [(0,)], "every record has as many rows as it says", 30.0)
    return secs


def _later_version(directory: Path) -> Path:
    code = directory / "later"
    if not code.exists():
        shutil.copytree(ROOT / "app", code / "app", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "migrations", code / "migrations")
        shutil.copy(ROOT / "schema.sql", code)
        decoder = code / "app/pipeline/decoded.py"
        decoder.write_text(decoder.read_text() + _LATER_DECODER)
    return code


def record_faults() -> Iterator[Fault]:
    """The rows of the matrix."""
    yield Fault("F24", "records that nobody should send", _odd_records)
    what = f"records of {_LARGE_BYTES // 10**6} MB, and a compressed one that becomes as large"
    yield Fault("F24", what, _large_records, prepare=_allow_large)
    proxied = Setup(is_proxied=True)
    yield Fault("F25", "killed, then another version of the decoder and of the table", _upgraded, proxied)

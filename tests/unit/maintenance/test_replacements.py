"""What becomes of rejected rows when they are read again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.reader import REST_ITEM
from app.domain.records import OneRecord, RecordChunk
from app.domain.revisions import Place
from app.maintenance.replacements import Left, Replacements, replacements
from app.maintenance.tables import FlaggedRow
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded
from tests.fakes import RECORD_TIME_MS
from tests.support.revised_table import flagged_row
from tests.support.sample_rows import sample_chunk

TODAY = partial(decode, bounds=EventTimeBounds.of_retention(30))
NOBODYS: Mapping[Place, OneRecord] = {}


def stored(value: bytes) -> list[FlaggedRow]:
    """The rejected rows of a record, as today's parser makes them."""
    rows = TODAY(sample_chunk([value])).rows.to_pylist()
    return [flagged_row(row) for row in rows if row["ParseError"]]


def lenient(chunk: RecordChunk) -> Decoded:
    """A later parser: it understands what is in {braces, and a day of the week."""
    values = [value and value.replace(b"yesterday", b"1699999000").replace(b"{half ", b"") for value in chunk.values]
    return TODAY(RecordChunk(**{name: getattr(chunk, name) for name in _NAMES} | {"values": values}))


_NAMES = ("partition", "topic_id", "offsets", "timestamps_ms", "headers", "next_offset", "keys")


def lines(chunk: RecordChunk) -> Decoded:
    """A later parser that reads several lines as one record of NDJSON."""
    headers = [[("content-type", b"application/x-ndjson")]] * len(chunk.values)
    return TODAY(
        RecordChunk(**{name: getattr(chunk, name) for name in _NAMES} | {"values": chunk.values, "headers": headers})
    )


def record(rows: list[FlaggedRow], value: bytes, **more: Any) -> dict[Place, OneRecord]:
    return {rows[0].place: OneRecord(RECORD_TIME_MS, value, more.get("headers", ()), more.get("key"))}


def rows_of(found: Replacements) -> list[dict[str, Any]]:
    return [row for rows, _ in found.records for row in rows.to_pylist()]


def left(found: Replacements) -> dict[Left, int]:
    return {reason: count for reason, count in found.left.items() if count}


def test_a_row_is_made_as_the_service_would_make_it_of_the_record() -> None:
    value = b'{"message": "m", "timestamp": "yesterday", "user_id": "u", "shop": 7}'
    rows = stored(value)

    [row] = rows_of(replacements(rows, record(rows, value, headers=[("service.name", b"shop")]), lenient))

    assert (row["ParseError"], row["Timestamp"].value, row["ServiceName"]) == ("", 1699999000 * 10**9, "shop")
    assert (row["UserId"], dict(row["LogAttributes"])["shop"]) == ("u", "7")
    assert (row["_topic_id"], row["_partition"], row["_offset"], row["_item"], row["_items"]) == ("topic-1", 0, 0, 0, 1)


def test_without_the_record_a_row_is_made_of_the_text_that_was_not_understood() -> None:
    [rejected] = stored(b'{half {"message": "m", "level": "warn"}')
    rejected = rejected._replace(attributes={"kept": "header"}, resource={"host.name": "h"}, service="shop")

    [row] = rows_of(replacements([rejected], NOBODYS, lenient))

    assert (row["Body"], row["SeverityText"], row["ParseError"]) == ("m", "WARN", "")
    assert (row["ServiceName"], dict(row["LogAttributes"])) == ("shop", {"kept": "header"})
    assert dict(row["ResourceAttributes"]) == {"host.name": "h"}


@pytest.mark.parametrize("is_in_kafka", [True, False])
def test_the_text_that_was_not_understood_stays_in_the_row(is_in_kafka: bool) -> None:
    value = b'{half {"message": "m"}'
    rows = stored(value)

    [row] = rows_of(replacements(rows, record(rows, value) if is_in_kafka else NOBODYS, lenient))

    assert row["_raw"] == value


def test_what_is_still_not_understood_is_left() -> None:
    rows = stored(b"{half")

    assert left(replacements(rows, record(rows, b"{half"), TODAY)) == {Left.REJECTED: 1}
    assert left(replacements(rows, NOBODYS, TODAY)) == {Left.REJECTED: 1}


def test_a_row_without_its_text_needs_the_record() -> None:
    rows = stored(b'{"message": "m", "timestamp": "yesterday"}')

    assert left(replacements(rows, NOBODYS, lenient)) == {Left.NO_TEXT: 1}


def test_only_the_rejected_row_of_a_record_of_several_is_made_anew() -> None:
    value = b'{"message": "a"}\n{"message": "b", "timestamp": "yesterday"}\n{"message": "c"}'
    rows = [flagged_row(row) for row in lines(sample_chunk([value])).rows.to_pylist() if row["ParseError"]]
    later = OneRecord(RECORD_TIME_MS, value.replace(b"yesterday", b"1699999000"), ())

    [row] = rows_of(replacements(rows, {rows[0].place: later}, lines))

    assert (row["Body"], row["_item"], row["_items"]) == ("b", 1, 3)


def test_a_record_that_was_one_row_may_become_several() -> None:
    value = b'{"message": "a"}\n{"message": "b"\n{"message": "c"}'
    rows = [flagged_row(TODAY(sample_chunk([value])).rows.to_pylist()[0])._replace(problem="json: not valid", items=1)]

    found = replacements(rows, record(rows, value), lines)

    assert [(row["_item"], row["_items"], bool(row["ParseError"])) for row in rows_of(found)] == [
        (0, 3, False),
        (1, 3, True),
        (2, 3, False),
    ]
    assert [count for _, count in found.records] == [1]


def test_a_record_of_several_rows_that_would_be_another_number_is_left() -> None:
    value = b'{"message": "a"}\n{"message": "b"}'
    rows = [stored(b"{half")[0]._replace(items=3, item=1)]

    assert left(replacements(rows, record(rows, value), lines)) == {Left.OTHER_COUNT: 1}


@pytest.mark.parametrize("problem", ["refused: ClickHouse error 6", "tombstone: record has no value"])
def test_rows_whose_text_is_not_the_reason_are_left(problem: str) -> None:
    [row] = stored(b"{half")
    rows = [row._replace(problem=problem)]

    assert left(replacements(rows, record(rows, b"{}"), TODAY)) == {Left.NOT_TRIED: 1}
    assert left(replacements(rows, NOBODYS, TODAY)) == {Left.NOT_TRIED: 1}


def test_a_record_of_two_versions_is_left() -> None:
    [row] = stored(b"{half")
    rows = [row._replace(items=3), row._replace(item=REST_ITEM, items=2, problem="reader: another one")]

    assert left(replacements(rows, record(rows, b"{half"), lenient)) == {Left.NOT_TRIED: 2}

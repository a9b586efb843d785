"""Compiled code reads what the reference reads: the same rows, with the same problems, of whatever records hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from string import ascii_letters

import pytest
from msgspec.structs import replace

from app.domain.attribute_limits import AttributeLimits
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import read_rows
from app.pipeline.decoded import ReadRows, decoded
from tests.golden.corpus import records as golden_records
from tests.support.hostile import HOSTILE
from tests.support.json_records import chunk_of, record
from tests.support.native import native_reader, needs_native, packed

pytestmark = needs_native

BOUNDS = EventTimeBounds.of_retention(30)
TIME = '"2026-11-23T12:00:00.5Z"'


def read(chunk: RecordChunk, rules: ReadingRules = DEFAULT_RULES) -> ReadRows:
    return read_rows(chunk, BOUNDS, rules, "")


def assert_same(chunk: RecordChunk, rules: ReadingRules = DEFAULT_RULES) -> None:
    """Both readers make the same of a chunk, however its records lie in memory."""
    assert_as_reference(chunk, chunk, rules)
    assert_as_reference(chunk, packed(chunk), rules)


def assert_as_reference(chunk: RecordChunk, given: RecordChunk, rules: ReadingRules) -> None:
    expected, found = read(chunk, rules), native_reader(BOUNDS, rules)(given)

    assert found.rows.to_pylist() == expected.rows.to_pylist()
    assert found.rows.equals(expected.rows)
    assert found.problems == expected.problems
    found_decoded, expected_decoded = decoded(found, rules), decoded(expected, rules)
    assert found_decoded.rows.equals(expected_decoded.rows)
    assert (found_decoded.problems, found_decoded.masked) == (expected_decoded.problems, expected_decoded.masked)


def left_to_the_reference(values: Sequence[bytes | None]) -> list[bytes | None]:
    """The values of those records that compiled code does not take."""
    left: list[bytes | None] = []

    def others(chunk: RecordChunk) -> ReadRows:
        left.extend(chunk.values)
        return read(chunk)

    native_reader(BOUNDS, read_others=others)(chunk_of(values))
    return left


@pytest.mark.parametrize("seed", range(4))
def test_random_records_become_the_same_rows(seed: int) -> None:
    """`python -m tests.native` tries as many as you like."""
    rng = Random(seed)

    assert_same(chunk_of([record(rng) for _ in range(120)]))


def test_the_reference_reads_records_that_lie_in_one_piece_too() -> None:
    values, headers = golden_records()
    chunk = replace(chunk_of(values), headers=headers)

    assert read(packed(chunk)).rows.equals(read(chunk).rows)


@pytest.mark.parametrize(("start", "end"), [(0, 50), (50, 120), (119, 120)])
def test_a_part_of_records_in_one_piece_becomes_the_rows_of_that_part(start: int, end: int) -> None:
    rng = Random(0)
    values = [record(rng) for _ in range(120)]
    whole, part = packed(chunk_of(values)), slice(start, end)
    given = replace(
        whole,
        values=whole.values[part],
        offsets=whole.offsets[part],
        timestamps_ms=whole.timestamps_ms[part],
        headers=whole.headers[part],
    )

    expected = replace(chunk_of(values[part]), offsets=list(whole.offsets[part]))
    assert_as_reference(expected, given, DEFAULT_RULES)


def test_records_of_all_formats_become_the_same_rows() -> None:
    values, headers = golden_records()

    assert_same(replace(chunk_of(values), headers=headers))


def test_hostile_records_become_the_same_rows() -> None:
    assert_same(chunk_of([hostile(500) for hostile in HOSTILE.values()]))


USUAL = (
    '{"message":"m"}',
    '{"message" : "ü\\u00fc\\ud83e\\udd50\\n"} ',
    f'{{"timestamp":{TIME},"level":"INFO","service":"s","message":"m","user_id":"7","response_time_ms":1.5,"host":"h"}}',
    '{"time":1795435200123,"msg":"m","pid":7,"hostname":"h","level":30}',
    '{"message":"m","host":"","trace_id":"00000000000000000000000000000000","span_id":"00f067aa0ba902b7"}',
    '{"message":"m","user_id":7,"span_id":"00F067AA0BA902B7","trace_id":"4BF92F3577B34DA6A3CE929D0E0E4736"}',
    '{"message":"m","attributes":{"http.route":"/pay","n":1,"big":18446744073709551615,"f":1e3,"ok":true,"no":null}}',
    '{"message":"m","tags":["a",1,2.50,null,[true]],"created_at":"2026-11-23","timestamp":1795435200.25}',
)


def test_usual_events_become_the_same_rows_together() -> None:
    assert_same(chunk_of([text.encode() for text in USUAL]))


@pytest.mark.parametrize("text", USUAL)
def test_usual_events_are_read_by_compiled_code(text: str) -> None:
    assert left_to_the_reference([text.encode()]) == []
    assert_same(chunk_of([text.encode()]))


UNUSUAL = (
    '{"message":"m","message":"n"}',
    '{"message":"m","a":-0}',
    '{"message":"m","a":1e16}',
    '{"message":"m","a":18446744073709551616}',
    '{"message":"m","a":1e400}',
    '{"message":"m","a":"\\ud800"}',
    '{"message":"m","a":{"b":{"c":1}}}',
    '{"message":"m","a":["\\n"]}',
    '{"message":" "}',
    '{"message":7}',
    '{"message":"m","level":null}',
    '{"message":"m","service":["s"]}',
    '{"message":"m","response_time_ms":"fast"}',
    '{"message":"m","response_time_ms":1e39}',
    '{"message":"m","timestamp":"2026-11-23 12:00:00"}',
    '{"message":"m","timestamp":"2026-02-30T12:00:00Z"}',
    '{"message":"m","timestamp":"2020-11-23T12:00:00Z"}',
    '{"message":"m","trace_id":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"}',
    '{"message":"m"} {"message":"n"}',
    '{"message":"m"',
    "2026-11-23T12:00:00Z ERROR a line",
)


@pytest.mark.parametrize("text", UNUSUAL)
def test_of_what_compiled_code_is_not_certain_the_reference_reads(text: str) -> None:
    assert left_to_the_reference([text.encode()]) == [text.encode()]
    assert_same(chunk_of([text.encode()]))


def test_numbers_of_many_digits_have_the_texts_of_the_reference() -> None:
    rng = Random(7)
    texts = ["824823281168473.2"]
    for number in range(4000):
        texts.append(f"{rng.uniform(0, 10 ** (number % 16)):.{number % 7 + 1}f}")
        bits = number % 20 + 1
        texts.append(f"{rng.randrange(2 ** (52 - bits)) + rng.randrange(2**bits) / 2**bits:.{bits}f}")
    values = [f'{{"message":"m","v":{text}}}'.encode() for text in texts]

    assert_same(chunk_of(values))
    assert b'{"message":"m","v":824823281168473.2}' in left_to_the_reference(values)


def test_a_negative_zero_is_a_zero() -> None:
    rows = native_reader(BOUNDS)(chunk_of([b'{"message":"m","response_time_ms":-0}'])).rows

    assert str(rows["ResponseTimeMs"][0].as_py()) == "0.0"


def test_rows_keep_the_order_of_records_of_which_some_are_several_events() -> None:
    values = [b'{"message":"1"}', b'[{"message":"2"},{"message":"3"}]', b'{"message":"4"}', b"\xff", b'{"message":"5"}']

    assert_same(chunk_of(values))
    rows = native_reader(BOUNDS)(chunk_of(values)).rows
    assert [row for row in rows["Body"].to_pylist() if row in "12345"] == ["1", "2", "3", "4", "5"]


def test_times_of_records_may_be_any_that_kafka_accepts() -> None:
    values = [f'{{"message":"m","timestamp":{TIME}}}'.encode()] * 7
    times = [-(2**63), -1, 0, 1_795_435_200_000, 9_223_372_036_854, 2**63 - 1, -(86_400_001)]

    assert_same(replace(chunk_of(values), timestamps_ms=times))


def test_names_of_attributes_are_held_to_the_limits_and_not_taken_for_those_of_receipts() -> None:
    rules = ReadingRules(limits=AttributeLimits(most=10, name_chars=32))
    many: dict[str, object] = {f"k{number}": number for number in range(11)}
    events: list[dict[str, object]] = [
        {"n" * 33: 1},
        {"n" * 32: 1},
        many,
        {"log.receiver.token": "x"},
        {"log": {"receiver.token": "x"}},
        {"k": 1},
    ]

    for event in events:
        assert_same(chunk_of([json.dumps({"message": "m", **event}).encode()]), rules)


def test_a_chunk_may_have_any_number_of_levels() -> None:
    values = [f'{{"message":"m","level":"{first}{second}"}}' for first in "ABCDefghij" for second in ascii_letters]

    assert_same(chunk_of([value.encode() for value in values]))


def test_keys_that_never_come_again_do_not_fill_the_memory() -> None:
    values = [json.dumps({"message": "m", **{f"k{number}-{key:060}": 1 for key in range(60)}}) for number in range(400)]
    chunk = chunk_of([value.encode() for value in values])

    assert native_reader(BOUNDS)(chunk).rows.equals(read(chunk).rows)

"""Rejected rows: by reason, and parsed again."""

import json
from collections.abc import Mapping
from functools import partial

import pytest

from app.audit.rejected import RejectedRow, Rejections, Retried, content_of, lines, retry
from app.domain.event_time import EventTimeBounds
from app.domain.records import Partition, RecordChunk
from app.domain.rows import flagged
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded

NOW_MS = 1_700_000_000_000
TODAY = partial(decode, bounds=EventTimeBounds.of_retention(30))


def rejected(problem: str = "json: not valid", body: bytes = b"{", **changes: object) -> RejectedRow:
    usual: dict[str, object] = {
        "problem": problem,
        "time_ms": NOW_MS,
        "topic": "logs",
        "partition": 0,
        "offset": 7,
        "item": 0,
        "body": body,
        "raw": b"",
        "attributes": {},
    }
    return RejectedRow(**(usual | changes))  # type: ignore[arg-type]


def stored_row(value: bytes | None, *headers: tuple[str, bytes]) -> RejectedRow:
    """The stored row of a record."""
    chunk = RecordChunk(Partition("logs", 0), "id", [7], [NOW_MS], [value], [headers], 8)
    [row] = TODAY(chunk).rows.to_pylist()[-1:]
    return rejected(row["ParseError"], row["Body"].encode(), raw=row["_raw"], attributes=dict(row["LogAttributes"]))


def lenient(chunk: RecordChunk) -> Decoded:
    """A more lenient future parser."""
    values = [value.replace(b"yesterday", b"1700000000").replace(b"{half", b"half") for value in chunk.values if value]
    return TODAY(
        RecordChunk(
            chunk.partition,
            chunk.topic_id,
            chunk.offsets,
            chunk.timestamps_ms,
            values,
            chunk.headers,
            chunk.next_offset,
        )
    )


UNREADABLE = [
    pytest.param(b"{half an object", id="json"),
    pytest.param(b'{"message": "m", "x": "\\ud800"}', id="a lone surrogate"),
    pytest.param(b'{"message": "\xff"}', id="JSON that is not UTF-8"),
    pytest.param(b"text \xff", id="text that is not UTF-8"),
    pytest.param(b"", id="empty"),
    pytest.param(b'{"message": "m", "timestamp": "yesterday"}', id="time"),
    pytest.param(b'{"message": "m", "timestamp": [1]}', id="time in a list"),
    pytest.param(b'{"message": "m", "duration_ms": "slow"}', id="response time"),
    pytest.param(b'{"message": "m", "duration_ms": true}', id="response time that is a boolean"),
    pytest.param(b'{"message": "m", "service": ["a", "b"]}', id="list"),
    pytest.param(b'{"message": "m", "service": ["a"], "timestamp": "yesterday"}', id="two problems"),
]


@pytest.mark.parametrize("value", UNREADABLE)
def test_the_same_parser_rejects_the_same_rows_again(value: bytes) -> None:
    row = stored_row(value)

    assert row.problem
    assert retry([row], TODAY) == [Retried.REJECTED]


@pytest.mark.parametrize("value", [b"{half an object", b'{"message": "m", "timestamp": "yesterday", "user_id": 1}'])
def test_rows_that_a_better_parser_understands_are_reported(value: bytes) -> None:
    row = stored_row(value)

    assert retry([row], TODAY) == [Retried.REJECTED]
    assert retry([row], lenient) == [Retried.UNDERSTOOD]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(stored_row(None), id="tombstone"),
        pytest.param(stored_row(b'{"message": "m", "service": {"x": 1}}'), id="an object that was taken apart"),
        pytest.param(rejected("refused: ClickHouse error 27", b"", raw=b'{"Body": "x"}'), id="refused by ClickHouse"),
        pytest.param(rejected("packed: more events than a record may hold", b"a\nb"), id="packed"),
        pytest.param(rejected("timestamp: not a time", b"m"), id="the value is not among the attributes"),
        pytest.param(rejected("of a later version: who knows", b"m"), id="a reason nobody knows"),
    ],
)
def test_rows_without_the_original_text_cannot_be_parsed_again(row: RejectedRow) -> None:
    assert retry([row], TODAY) == [Retried.UNKNOWN]


def test_a_row_whose_bytes_were_masked_cannot_be_parsed_again() -> None:
    assert content_of(rejected("utf-8: invalid bytes", b"", raw=b"[masked:binary]")) is None


def test_a_row_that_clickhouse_refused_is_not_taken_for_an_event_of_its_columns() -> None:
    chunk = RecordChunk(Partition("logs", 0), "id", [7], [NOW_MS], [b"text"], [()], 8)
    [row] = flagged(TODAY(chunk).rows, "refused: ClickHouse error 27").to_pylist()

    assert json.loads(row["_raw"])["Body"] == "text"
    assert content_of(rejected(row["ParseError"], b"", raw=row["_raw"])) is None


def test_outcomes_come_in_the_order_of_the_rows() -> None:
    rows = [rejected(body=b"plain text"), stored_row(None), rejected(body=b"{"), rejected(body=b"more text")]

    assert retry(rows, TODAY) == [Retried.UNDERSTOOD, Retried.UNKNOWN, Retried.REJECTED, Retried.UNDERSTOOD]


def test_the_time_of_the_row_stands_in_for_that_of_the_record() -> None:
    seen: list[int] = []

    def decode_and_tell(chunk: RecordChunk) -> Decoded:
        seen.extend(chunk.timestamps_ms)
        return TODAY(chunk)

    retry([rejected(time_ms=5), rejected(time_ms=7)], decode_and_tell)

    assert seen == [5, 7]


# The list.


def listed(rows: list[RejectedRow], total: int | None = None, limit: int = 100) -> list[str]:
    found = Rejections(TODAY)
    found.add(rows)
    return list(lines(found, len(rows) if total is None else total, limit))


def test_rows_are_listed_by_reason_the_most_frequent_first() -> None:
    rows = [
        rejected("json: not an object", time_ms=NOW_MS - 60_000),
        *[rejected("json: not valid", offset=offset, time_ms=NOW_MS + offset * 1000) for offset in range(5)],
        *[rejected("empty: record has no content", b"")] * 9,
    ]

    output = listed(rows)

    assert output == [
        "empty: 9 rows",
        "  empty: record has no content",
        "    9 rows, 2023-11-14 22:13:20 to 2023-11-14 22:13:20",
        "      logs/0 offset 7: ",
        "      logs/0 offset 7: ",
        "      logs/0 offset 7: ",
        "",
        "json: 6 rows",
        "  json: not valid",
        "    5 rows, 2023-11-14 22:13:20 to 2023-11-14 22:13:24",
        "      logs/0 offset 0: {",
        "      logs/0 offset 1: {",
        "      logs/0 offset 2: {",
        "  json: not an object",
        "    1 row, 2023-11-14 22:12:20 to 2023-11-14 22:12:20",
        "      logs/0 offset 7: {",
        "",
        "15 rows not understood: today's parser would understand 0, and not 15; 0 cannot be tried, since the row does"
        " not hold the record's text.",
    ]


def test_parsable_and_untestable_rows_are_reported_by_reason() -> None:
    output = listed([rejected(body=b"plain"), rejected(), stored_row(None)])

    assert any(line.endswith("; today's parser would understand 1") for line in output)
    assert any(line.endswith("; 1 cannot be tried") for line in output)
    assert output[-1].startswith("3 rows not understood: today's parser would understand 1, and not 1; 1 cannot be")


@pytest.mark.parametrize(
    ("changes", "sample"),
    [
        ({"body": b"a\nb\tc", "item": 3}, "logs/0 offset 7 item 3: a b c"),
        ({"body": b"", "raw": b"\xffraw"}, "logs/0 offset 7: \ufffdraw"),
        ({"body": b"x" * 500}, f"logs/0 offset 7: {'x' * 100}..."),
    ],
)
def test_a_sample_is_the_start_of_the_text_on_one_line(changes: Mapping[str, object], sample: str) -> None:
    assert f"      {sample}" in listed([rejected(**changes)])  # type: ignore[arg-type]


def test_a_limit_that_was_reached_is_told() -> None:
    assert "Only 1 of 50 rows were read; raise --limit to read more." in listed([rejected()], total=50, limit=1)
    assert not any("--limit" in line for line in listed([rejected()], total=1, limit=1))


def test_no_rejected_rows_are_reported_as_such() -> None:
    assert listed([]) == ["Every row of this time was understood."]


def test_memory_does_not_grow_with_the_number_of_reasons() -> None:
    found = Rejections(TODAY)

    for number in range(3):
        found.add([rejected(f"json: {number} {reason}") for reason in range(1_000)])

    assert len(found.by_reason) == 1_001
    assert found.by_reason["(other reasons)"].rows == 2_000
    assert found.row_count == 3_000

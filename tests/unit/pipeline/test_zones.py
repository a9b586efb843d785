"""Times without a zone are read in the zone that is set: for a record by its header, or for all. Others stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.times import zone_named
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import decode

RECORD = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NEW_YORK = ReadingRules(zone=zone_named("America/New_York"))
TOKYO: Headers = [("timezone", b"Asia/Tokyo")]

WITHOUT_ZONE = [
    b"2026-11-29 05:15:01,123 ERROR com.x.Pay - failed",
    b"Nov 29 05:15:01 kiln sshd[7]: x",
    json.dumps({"message": "x", "timestamp": "2026-11-29 05:15:01"}).encode(),
    json.dumps({"message": "x", "time": "29/Nov/2026 05:15:01"}).encode(),
]
WITH_ZONE = [
    b"2026-11-29 05:15:01.123 +0000 ERROR com.x.Pay - failed",
    json.dumps({"message": "x", "timestamp": "2026-11-29T05:15:01Z"}).encode(),
    json.dumps({"message": "x", "timestamp": 1795929301}).encode(),
]


def decoded(value: bytes, rules: ReadingRules, headers: Headers) -> tuple[datetime, str]:
    """The time of the row, in whole seconds, and its problem."""
    chunk = RecordChunk(
        partition=Partition("logs", 0),
        topic_id="id",
        offsets=[0],
        timestamps_ms=[int(RECORD.timestamp() * 1000)],
        values=[value],
        headers=[headers],
        next_offset=1,
    )
    [row] = decode(chunk, EventTimeBounds.of_retention(30), rules).rows.select(["Timestamp", "ParseError"]).to_pylist()
    return row["Timestamp"].to_pydatetime(warn=False).replace(microsecond=0), row["ParseError"]


def at(hour: int) -> datetime:
    return datetime(2026, 11, 29, hour, 15, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", WITHOUT_ZONE)
def test_a_time_without_a_zone_is_of_the_zone_that_is_set(value: bytes) -> None:
    assert decoded(value, DEFAULT_RULES, ()) == (at(5), "")
    assert decoded(value, NEW_YORK, ()) == (at(10), "")


@pytest.mark.parametrize("value", WITHOUT_ZONE)
def test_the_zone_in_a_header_counts_before_the_setting(value: bytes) -> None:
    found, problem = decoded(value, NEW_YORK, TOKYO)

    assert (found, problem) == (at(5).replace(day=28, hour=20), "")


@pytest.mark.parametrize("value", WITH_ZONE)
@pytest.mark.parametrize("headers", [(), TOKYO, [("timezone", b"Mars/Phobos")]])
def test_a_time_with_a_zone_stays(value: bytes, headers: Headers) -> None:
    assert decoded(value, NEW_YORK, headers) == (at(5), "")


@pytest.mark.parametrize("value", WITHOUT_ZONE)
def test_a_zone_that_is_not_known_makes_no_wrong_time(value: bytes) -> None:
    assert decoded(value, NEW_YORK, [("timezone", b"Mars/Phobos")]) == (RECORD, "timestamp: zone not understood")


@pytest.mark.parametrize("value", [one.replace(b"05:15:01", b"21:15:01") for one in WITHOUT_ZONE])
def test_a_time_that_lies_in_the_future_is_of_another_zone(value: bytes) -> None:
    assert decoded(value, DEFAULT_RULES, ()) == (RECORD, "timestamp: in the future without a zone")
    assert decoded(value, DEFAULT_RULES, TOKYO)[1] == "timestamp: in the future without a zone"
    assert decoded(value, ReadingRules(future_ms=12 * 3_600_000), ()) == (at(21), "")


def test_the_order_of_day_and_month_follows_the_setting() -> None:
    value = json.dumps({"message": "x", "timestamp": "11/12/2026 05:15:01"}).encode()

    assert decoded(value, DEFAULT_RULES, ()) == (RECORD, "timestamp: order of day and month unknown")
    assert decoded(value, ReadingRules(day_first=False), ())[0] == datetime(2026, 11, 12, 5, 15, 1, tzinfo=UTC)

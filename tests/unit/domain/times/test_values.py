"""Times in values of events: texts of many libraries, numbers, objects, lists."""

import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.times import ReadTime, TimeReading, find_time, read_time
from app.domain.times.find import HEAD_CHARS
from app.domain.times.reading import NOT_A_TIME, ORDER_UNKNOWN, PROBLEMS, ZONE_UNKNOWN, Nanoseconds
from app.domain.times.words import in_order

SECOND = 10**9
T = 1_795_947_301 * SECOND  # 2026-11-29T10:15:01Z
READING = TimeReading(record_time_ms=(1_795_947_301 + 299) * 1000)
DAY_FIRST = TimeReading(READING.record_time_ms, day_first=True)
MONTH_FIRST = TimeReading(READING.record_time_ms, day_first=False)
patiently = settings(deadline=None)


@pytest.mark.parametrize(
    ("value", "after_ns"),
    [
        # RFC 3339 and ISO 8601
        ("2026-11-29T10:15:01Z", 0),
        ("2026-11-29t10:15:01z", 0),
        ("2026-11-29 10:15:01", 0),
        (" 2026-11-29T10:15:01Z\n", 0),
        ("2026-11-29T10:15Z", -SECOND),
        ("2026-11-29T10Z", -901 * SECOND),
        ("2026-11-29T10", -901 * SECOND),
        ("2026-11-29", -(10 * 3600 + 901) * SECOND),
        ("20261129T101501Z", 0),
        ("20261129T101501.25Z", SECOND // 4),
        ("20261129T101501,25+0000", SECOND // 4),
        ("2026-W48-7T10:15:01Z", 0),
        ("2026W487T101501Z", 0),
        ("2026-333T10:15:01Z", 0),
        ("2026-11-29T11:45:01+01:30", 0),
        ("2026-11-29T10:15:01.5-00:00", SECOND // 2),
        ("2026-11-29T10:15:01\u221203:00", 3 * 3600 * SECOND),
        ("2026-11-29T11:15:01+01:00:00", 0),
        ("2026-11-29T10:15:01.1234567891Z", 123_456_789),
        ("2026-11-29T10:15:01." + "9" * 300 + "Z", 999_999_999),
        ("2026-11-28T24:00:00Z", -(10 * 3600 + 901) * SECOND),
        ("2026-11-29T10:14:60Z", -SECOND),
        # Libraries
        ("2026-11-29 10:15:01 UTC", 0),
        ("2026-11-29 11:15:01.000 +0100", 0),
        ("29/Nov/2026:10:15:01 +0000", 0),
        ("[29/Nov/2026:10:15:01 +0000]", 0),
        ("Sun, 29 Nov 2026 10:15:01 GMT", 0),
        ("Sun, 29 Nov 2026 11:15:01 +0100 (CET)", 0),
        ("Sunday, 29-Nov-26 10:15:01 GMT", 0),
        ("Sun Nov 29 10:15:01 2026", 0),
        ("Sun Nov 29 11:15:01 CET 2026", 0),
        ("Nov 29 10:15:01 2026 GMT", 0),
        ("2026-11-29 10:15:01.123456789 +0000 UTC", 123_456_789),
        ("2026-11-29 10:15:01.123456789 +0000 UTC m=+0.1", 123_456_789),
        ("2026-11-29T11:15:01+01:00[Europe/Paris]", 0),
        ("2026-11-29T10:15:01Z[UTC]", 0),
        ("11/29/2026 10:15:01 AM", 0),
        ("11/29/2026, 10:15:01\u202fa.m.", 0),
        ("29.11.2026 10:15:01", 0),
        ("29.11.2026, 10:15:01", 0),
        ("29. November 2026 10:15:01", 0),
        ("29 novembre 2026 10:15:01", 0),
        ("29 de noviembre", None),
        ("29 ноября 2026 10:15:01", 0),
        ("2026年11月29日 10:15:01", 0),
        ("Nov 29, 2026 @ 10:15:01.123", 123_000_000),
        ("November 29th 2026, 10:15:01.123", 123_000_000),
        ("Nov 29 10:15:01", 0),
        ("20261129101501", 0),
        ("20261129101501Z", 0),
        ("20261129111501.123+0100", 123_000_000),
        ("20261129101501123", 123_000_000),
        ("202611291015", -SECOND),
        ("/Date(1795947301123)/", 123_000_000),
        ("/Date(1795947301123+0100)/", 123_000_000),
        ("\\/Date(1795947301123)\\/", 123_000_000),
        ("@400000006b0bfb2f075bcd15", 123_456_789),
        # Numbers
        (1_795_947_301, 0),
        (1_795_947_301_123, 123_000_000),
        (1_795_947_301_123_456, 123_456_000),
        (1_795_947_301_123_456_789, 123_456_789),
        (1_795_947_301.5, SECOND // 2),
        ("1795947301", 0),
        ("+1795947301", 0),
        ("1795947301.123456789", 123_456_789),
        ("1795947301123.5", 123_500_000),
        ("1795947301221373", 221_373_000),
        ("1.795947301123E9", 123_000_000),
        ("1.795947301123e+12", 123_000_000),
        (Nanoseconds(T), 0),
        # Objects and lists
        ({"$date": "2026-11-29T10:15:01.401+00:00"}, 401_000_000),
        ({"$date": 1_795_947_301_123}, 123_000_000),
        ({"$date": {"$numberLong": "1795947301123"}}, 123_000_000),
        ({"seconds": 1_795_947_301, "nanos": 123_000_000}, 123_000_000),
        ({"seconds": "1795947301", "nanos": 1}, 1),
        ({"seconds": 1_795_947_301}, 0),
        ({"seconds": 1_795_947_301.5}, SECOND // 2),
        ({"_seconds": 1_795_947_301, "_nanoseconds": 5}, 5),
        ({"epochSecond": 1_795_947_301, "nanoOfSecond": 484_000_000}, 484_000_000),
        ({"sec": 1_795_947_301, "nsec": 7}, 7),
        ({"tv_sec": 1_795_947_301, "tv_usec": 7}, 7000),
        ({"secs_since_epoch": 1_795_947_301, "nanos_since_epoch": 9}, 9),
        ({"timestampSeconds": 1_795_947_301, "timestampNanos": 9}, 9),
        ({"millis": 1_795_947_301_123}, 123_000_000),
        ({"date": "2026-11-29 11:15:01.123000", "timezone_type": 3, "timezone": "Europe/Paris"}, 123_000_000),
        ({"date": "2026-11-29 11:15:01.123000", "timezone_type": 1, "timezone": "+01:00"}, 123_000_000),
        ({"DateTime": "/Date(1795947301123)/", "OffsetMinutes": 60}, 123_000_000),
        ([1_795_947_301, 123_000_000], 123_000_000),
        ([2026, 11, 29, 10, 15, 1, 123_000_000], 123_000_000),
        ([2026, 11, 29, 10, 15, 1], 0),
        ([2026, 11, 29, 10, 15], -SECOND),
    ],
)
def test_a_value_is_read(value: object, after_ns: int | None) -> None:
    read = read_time(value, READING)

    if after_ns is None:
        assert read == ReadTime(None, False, NOT_A_TIME)
    else:
        assert (read.time_ns, read.problem) == (T + after_ns, "")


@pytest.mark.parametrize("value", [None, "", " ", "-"])
def test_nothing_is_no_problem(value: object) -> None:
    assert read_time(value, READING) == ReadTime(None, False, "")


@pytest.mark.parametrize(
    "value",
    [
        *("Z", "now", "yesterday", "10:00:00", "nan", "inf", "1e9", "0x10", "1_000", "26-11-23", "Nov 29", "11-29"),
        *("2026-13-01T00:00:00Z", "2026-02-29T10:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T24:00:01Z"),
        *("2026-11-23T10:60:00Z", "2026-11-23T10:00:61Z", "2026-11-23T10:60Z", "0000-01-01T00:00:00Z"),
        *("2026-11-23T10:00:00Zx", "2026-11-23T10:00:00Z and more", "12026-11-23T10:00:00Z", "-2026-11-23T10:00:00Z"),
        *("2026-11-23T10:00,5Z", "2026-11-23T1Z", "127.0.0.1", "1.2.3", "99:99", "x" * 500, "9" * 21),
        *(True, False, math.nan, math.inf, -math.inf, b"2026-11-23", {}, [], {"a": 1}, {"$date": None}),
        *({"seconds": None}, {"$date": {"$date": {"$date": {}}}}),
        *([1, 2], [2026, 13, 1, 0, 0], [2026, 11, 29, 24, 0], ["2026", 1, 1], [True, 1]),
        *({"$numberLong": []}, {"seconds": 10**15}, {"seconds": 1, "nanos": 10**10}, {1: 2}, [[2026], 1, 1]),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(value: object) -> None:
    assert read_time(value, READING) == ReadTime(None, False, NOT_A_TIME)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-11-29 10:15:01 Central Standard Time", "2026-11-29T10:15:01 -0370", "2026-11-29 10:15:01 CST"),
        *("2026-11-29 10:15:01 somewhere", {"date": "2026-11-29 10:15:01.0", "timezone_type": 2, "timezone": "CST"}),
        *("2026-11-29T10:00:00+24:00", "2026-11-29T10:00:00+23:60", "2026-11-29T10:00:00 Europe/Nowhere"),
    ],
)  # fmt: skip
def test_a_value_with_a_zone_that_is_not_understood_is_not_trusted(value: object) -> None:
    assert read_time(value, READING) == ReadTime(None, False, ZONE_UNKNOWN)


@pytest.mark.parametrize("text", ["03/04/2026 10:15:01", "3/4/2026 10:15", "03-04-2026 10:15:01", "03/04/26 10:15:01"])
def test_the_order_of_day_and_month_is_not_guessed(text: str) -> None:
    clock = text.split(" ")[1]
    march, april = (read_time(f"2026-{day} {clock}", READING).time_ns for day in ("03-04", "04-03"))

    assert read_time(text, READING) == ReadTime(None, False, ORDER_UNKNOWN)
    assert read_time(text, MONTH_FIRST).time_ns == march
    assert read_time(text, DAY_FIRST).time_ns == april
    found = find_time(f"{text} x", READING)
    assert found is not None
    assert found.problem == ORDER_UNKNOWN


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("13/04/2026 10:15:01", "2026-04-13"),
        ("04/13/2026 10:15:01", "2026-04-13"),
        ("04-13-2026 10:15:01", "2026-04-13"),
        ("04/04/2026 10:15:01", "2026-04-04"),
        ("03.04.2026 10:15:01", "2026-04-03"),
        ("03.04.26 10:15:01", "2026-04-03"),
        ("03/04/2026 10:15:01 AM", "2026-03-04"),
        ("26/11/29 10:15:01", "2026-11-29"),
        ("29/11/26 10:15:01", "2026-11-29"),
        ("17/06/09 10:15:01", "2017-06-09"),
    ],
)
def test_the_text_decides_the_order_if_it_can(text: str, day: str) -> None:
    assert read_time(text, READING).time_ns == read_time(f"{day} 10:15:01", READING).time_ns


def test_am_in_small_letters_does_not_mean_the_order_of_the_united_states() -> None:
    assert read_time("03/04/2026, 10:15:01 am", READING).problem == ORDER_UNKNOWN
    assert read_time("03/04/2026, 10:15:01 AM", DAY_FIRST).time_ns == read_time("2026-04-03T10:15:01", READING).time_ns


@pytest.mark.parametrize(
    ("record", "text", "want"),
    [
        ("2027-01-01T00:00:05Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z"),
        ("2026-12-31T23:59:59Z", "Jan  1 00:00:01", "2027-01-01T00:00:01Z"),
        ("2026-11-29T10:00:00Z", "Nov 30 10:00:01", "2025-11-30T10:00:01Z"),
        ("2026-11-29T10:00:00Z", "Feb 29 10:00:01", "2024-02-29T10:00:01Z"),
        ("2026-12-31T23:30:00Z", "Jan  1 00:29:00 CET", "2026-12-31T23:29:00Z"),
    ],
)
def test_a_date_without_year_is_the_nearest_to_the_records_time(record: str, text: str, want: str) -> None:
    record_ns = read_time(record, READING).time_ns or 0
    reading = TimeReading(record_ns // 10**6)

    assert read_time(text, reading).time_ns == read_time(want, reading).time_ns
    found = find_time(f"{text} kiln sshd[7]: x", reading)
    assert found is not None
    assert found.time_ns == read_time(want, reading).time_ns


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("12:15:01 AM", 15 * 60 + 1),
        ("12:15:01 PM", 12 * 3600 + 15 * 60 + 1),
        ("1:15:01 pm", 13 * 3600 + 15 * 60 + 1),
        ("01:15:01 P.M.", 13 * 3600 + 15 * 60 + 1),
        ("1:15:01 p.m.", 13 * 3600 + 15 * 60 + 1),
        ("13:15:01 PM", 13 * 3600 + 15 * 60 + 1),
        ("01:15 PM", 13 * 3600 + 15 * 60),
    ],
)
def test_the_clock_of_twelve_hours(text: str, time_ns: int) -> None:
    assert read_time(f"2026-11-28 {text}", READING).time_ns == T - 34 * 3600 * SECOND - 901 * SECOND + time_ns * SECOND


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(
            st.sampled_from(["$date", "seconds", "nanos", "date", "timezone", "millis", "$numberLong"]), inner
        )
    ),
    max_leaves=8,
)
like_times = st.lists(
    st.sampled_from(
        [*in_order("2026 11 29 - / . : T Z + Nov Nov. Sun , AM PM UTC CST 10 01 [ ] ( ) W é １ ٣ 年"), *" \t\"'\ud800"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@patiently
@given(json_values | like_times | st.text(), st.integers(-(2**63), 2**63), st.sampled_from([None, True, False]))
def test_nothing_raises(value: object, record_time_ms: int, day_first: bool | None) -> None:
    reading = TimeReading(record_time_ms, day_first=day_first)

    read = read_time(value, reading)
    assert read.problem in ("", *PROBLEMS)
    if isinstance(value, str):
        found = find_time(value, reading)
        assert found is None or 0 <= found.start < found.end <= len(value)
        assert found is None or (found.time_ns is None) == (found.problem != "")


@patiently
@given(like_times, st.text(max_size=50), st.text(max_size=50))
def test_only_the_first_part_of_a_line_is_looked_at(head: str, tail: str, other: str) -> None:
    head = head.ljust(HEAD_CHARS + 8, "x")

    assert find_time(head + tail, READING) == find_time(head + other, READING)


@pytest.mark.parametrize(
    "piece", ["[", "1", "29 Nov 2026 ", "10:15:01 ", '"', "a ", "1:", "11:11.11 ", "2026-11-29T", "é", "\t"]
)
def test_a_megabyte_is_no_more_work_than_its_beginning(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))

    start = time.process_time()
    found, read = find_time(text, READING), read_time(text, READING)
    took_secs = time.process_time() - start

    assert found == find_time(text[: HEAD_CHARS + 8], READING)
    assert read.problem in ("", NOT_A_TIME)
    assert took_secs < 0.05

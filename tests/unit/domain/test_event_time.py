"""Times in events."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.event_time import Nanoseconds, read_time_ns, rfc3339

patiently = settings(deadline=None)  # the first use of Arrow and a busy machine are slow

TEN = 1_795_428_000 * 10**9  # 2026-11-23T10:00:00Z
SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "after_ten_ns"),
    [
        ("2026-11-23T10:00:00Z", 0),
        ("2026-11-23t10:00:00z", 0),
        ("2026-11-23 10:00:00", 0),
        ("2026-11-23T10:00:00", 0),
        (" 2026-11-23T10:00:00Z\n", 0),
        ("2026-11-23T10:00Z", 0),
        ("20261123T100000Z", 0),
        ("2026-W48-1T10:00:00Z", 0),
        ("2026-11-23", -10 * 3600 * SECOND),
        ("2026-11-23T11:30:00+01:30", 0),
        ("2026-11-23T11:30:00+0130", 0),
        ("2026-11-23T12:00:00+02", 0),
        ("2026-11-23T09:59:59.5-00:00", -SECOND // 2),
        ("2026-11-22T20:00:00-14:00", 0),
        ("2026-11-23T10:00:00,123", 123_000_000),
        ("2026-11-23T10:00:00.1Z", 100_000_000),
        ("2026-11-23T10:00:00.123456789Z", 123_456_789),
        ("2026-11-23T10:00:00.1234567899Z", 123_456_789),
        ("2026-11-23T10:00:00." + "9" * 40 + "+00:00", 999_999_999),
        ("20261123T100000.25Z", 250_000_000),
        ("2026-11-22T24:00:00Z", -10 * 3600 * SECOND),
        ("2026-11-23T09:59:60Z", 0),
        ("2026-11-23T10:59:60.5+01:00", SECOND // 2),
        ("1795428000", 0),
        ("1795428000000", 0),
        ("1795428000.25", SECOND // 4),
        ("+1795428000", 0),
    ],
)
def test_text_is_read(text: str, after_ten_ns: int) -> None:
    assert read_time_ns(text) - TEN == after_ten_ns


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "Z", "now", "yesterday", "10:00:00", "26-11-23", "nan", "inf", "1e9", "0x10", "1_000"),
        *("2026-13-01T00:00:00Z", "2026-02-29T10:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T24:00:01Z"),
        *("2026-11-23T10:60:00Z", "2026-11-23T10:00:61Z", "2026-11-23T10:60Z", "0000-01-01T00:00:00Z"),
        *("2026-11-23T10:00:00+24:00", "2026-11-23T10:00:00+23:60", "2026-11-23T10:00:00UTC", "2026-11-23T10:00:00Zx"),
        *("12026-11-23T10:00:00Z", "-2026-11-23T10:00:00Z", "2026-11-23T10:00,5Z", "23/Nov/2026:10:00:00 +0000"),
    ],
)  # fmt: skip
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_time_ns(text)


@pytest.mark.parametrize("value", [True, False, None, [], {}, b"2026-11-23", math.nan, math.inf, -math.inf])
def test_a_value_of_another_kind_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_time_ns(value)


@pytest.mark.parametrize(
    ("number", "time_ns"),
    [
        (1_795_428_000, TEN),
        (1_795_428_000_000, TEN),
        (1_795_428_000_000_000, TEN),
        (1_795_428_000_000_000_000, TEN),
        (1_795_428_000.5, TEN + SECOND // 2),
        (1_795_428_000_000.5, TEN + 500_000),
        (0, 0),
        (-1, -SECOND),
        (-5.5, -5_500_000_000),
        (-1_795_428_000_000, -TEN),
        (10**11 - 1, (10**11 - 1) * SECOND),
        (10**11, 10**11 * 10**6),
        (10**14, 10**14 * 10**3),
        (10**17, 10**17),
        (10**30, 10**30),
    ],
)
def test_the_magnitude_of_a_number_determines_its_unit(number: float, time_ns: int) -> None:
    assert read_time_ns(number) == time_ns


def test_nanoseconds_stay_what_they_are_whatever_their_magnitude() -> None:
    assert read_time_ns(Nanoseconds(5)) == 5


def test_a_float_has_no_more_digits_than_it_can_hold() -> None:
    assert read_time_ns(1795428000.123457) == TEN + 123_457_000


@pytest.mark.parametrize(
    "time_ns", [-(10**18) * 62, -SECOND - 1, -1, 0, 1, TEN, TEN + 100_000_000, TEN + 1, 253_402_300_799 * SECOND]
)
def test_text_of_a_time_reads_back(time_ns: int) -> None:
    text = rfc3339(time_ns)

    assert text.endswith("Z")
    assert read_time_ns(text) == time_ns


def test_text_of_a_time_has_as_many_digits_as_it_needs() -> None:
    assert rfc3339(TEN) == "2026-11-23T10:00:00Z"
    assert rfc3339(TEN + 120_000_000) == "2026-11-23T10:00:00.12Z"
    assert rfc3339(-(10**18) * 62) == "0005-04-19T09:46:40Z"


@pytest.mark.parametrize("time_ns", [10**30, -(10**30), 253_402_300_800 * SECOND])
def test_a_year_outside_the_calendar_is_written_as_a_number(time_ns: int) -> None:
    assert rfc3339(time_ns) == str(time_ns)


@patiently
@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from(["T", " "]),
    st.text("0123456789", max_size=12),
)
def test_rfc_3339_is_read_exactly(moment: datetime, offset: int, separator: str, fraction: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    local = moment.replace(tzinfo=None).isoformat(sep=separator)
    text = f"{local}{'.' if fraction else ''}{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"

    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert read_time_ns(text) == seconds * SECOND + int(fraction[:9].ljust(9, "0"))


# Whole columns of texts are read by Arrow, and one by one only where that fails: both must say the same.

_digits = st.integers(0, 99).map("{:02}".format)
_times = st.builds(
    "{}-{}-{}{}{}:{}{}{}{}".format,
    st.sampled_from(["0001", "1600", "1677", "1678", "1899", "1969", "1970", "2026", "2262", "2263", "2611", "9999"]),
    st.integers(0, 13).map("{:02}".format),
    st.integers(0, 32).map("{:02}".format),
    st.sampled_from(["T", " ", "t"]),
    st.integers(0, 24).map("{:02}".format),
    st.integers(0, 60).map("{:02}".format),
    st.just("") | st.integers(0, 61).map(":{:02}".format),
    st.just("") | st.text("0123456789", max_size=11).map(".{}".format) | st.just(",5"),
    st.sampled_from(
        ["Z", "z", "", "+00:00", "-00:00", "+14:00", "-1400", "+05", "-23:59", "+24:00", "+01:00:30", " Z"]
    ),
)

_valid_times = st.builds(
    "{}{}{}".format,
    st.datetimes(datetime(1678, 1, 1), datetime(2262, 4, 1)).map(lambda moment: moment.replace(microsecond=0)),
    st.just("") | st.text("0123456789", min_size=1, max_size=9).map(".{}".format),
    st.sampled_from(["Z", "+14:00", "-23:59", "+0130", "+05"]),
)


@patiently
@given(_valid_times | _times | st.text("0123456789-:TZ. +,W", max_size=30))
@example("2262-04-11T23:47:16.854775807Z")
@example("2262-04-11T23:47:16-14:00")
@example("1677-09-21T00:12:44+14:00")
@example("2611-07-22T23:34:33.709551616Z")
def test_arrow_and_our_parser_agree(text: str) -> None:
    try:
        arrow = pa.array([text], pa.string()).cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())[0].as_py()
    except pa.ArrowInvalid:
        return

    assert read_time_ns(text) == arrow

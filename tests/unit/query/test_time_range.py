"""Parsing of time ranges."""

from __future__ import annotations

import pytest

from app.query.errors import BadParameter
from app.query.time_range import SECOND_NS, TimeRange, read_interval_secs, read_moment, read_range

NOW_NS = 1_764_000_000 * SECOND_NS + 5  # 2025-11-24T16:00:00.000000005Z
DAY_NS = 86_400 * SECOND_NS


@pytest.mark.parametrize(
    ("text", "moment_ns"),
    [
        ("now", NOW_NS),
        ("now-15m", NOW_NS - 900 * SECOND_NS),
        ("now - 2 h", NOW_NS - 7200 * SECOND_NS),
        ("now+1d", NOW_NS + DAY_NS),
        ("now-1w", NOW_NS - 7 * DAY_NS),
        (" now-30s ", NOW_NS - 30 * SECOND_NS),
        ("2025-11-24T16:00:00Z", 1_764_000_000 * SECOND_NS),
        ("2025-11-24T17:00:00.123456789+01:00", 1_764_000_000 * SECOND_NS + 123_456_789),
        ("2025-11-24", 1_763_942_400 * SECOND_NS),
        ("1764000000", 1_764_000_000 * SECOND_NS),
        ("1764000000000", 1_764_000_000 * SECOND_NS),
        ("1764000000000000001", 1_764_000_000_000_000_001),
    ],
)
def test_a_moment_is_relative_or_a_date_or_an_epoch_number(text: str, moment_ns: int) -> None:
    assert read_moment("start", text, now_ns=NOW_NS) == moment_ns


@pytest.mark.parametrize(
    "text", ["", "yesterday", "now-15", "now-m", "now-15x", "now--1h", "2025-13-01", "2025", "20251124", "-5", "9e99"]
)
def test_an_invalid_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter) as caught:
        read_moment("end", text, now_ns=NOW_NS)

    assert caught.value.parameter == "end"
    assert str(caught.value).startswith(f"end={text} is ")


def test_a_range_begins_before_it_ends() -> None:
    assert read_range("now-1h", "now", now_ns=NOW_NS).seconds == 3600
    for start, end in (("now", "now"), ("now", "now-1h")):
        with pytest.raises(BadParameter, match="is not before"):
            read_range(start, end, now_ns=NOW_NS)


@pytest.mark.parametrize(("text", "secs"), [("30s", 30), ("5m", 300), ("1h", 3600), ("2d", 172_800), (" 1w ", 604_800)])
def test_an_interval_is_a_number_and_a_unit(text: str, secs: int) -> None:
    assert read_interval_secs("interval", text) == secs


@pytest.mark.parametrize("text", ["", "5", "m", "0s", "-5m", "1.5h", "5 minutes"])
def test_an_invalid_interval_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="is not a duration"):
        read_interval_secs("interval", text)


@pytest.mark.parametrize(
    ("span", "whole", "edges"),
    [
        (TimeRange(0, 180), TimeRange(0, 180), []),
        (TimeRange(1, 181), TimeRange(60, 180), [TimeRange(1, 60), TimeRange(180, 181)]),
        (TimeRange(59, 120), TimeRange(60, 120), [TimeRange(59, 60)]),
        (TimeRange(60, 121), TimeRange(60, 120), [TimeRange(120, 121)]),
    ],
)
def test_a_range_is_whole_units_and_what_is_left_at_its_ends(
    span: TimeRange, whole: TimeRange, edges: list[TimeRange]
) -> None:
    assert span.whole(60) == whole
    assert span.without(whole) == edges


@pytest.mark.parametrize("span", [TimeRange(1, 60), TimeRange(61, 119), TimeRange(59, 61)])
def test_a_range_without_a_whole_unit_has_none(span: TimeRange) -> None:
    assert span.whole(60) is None

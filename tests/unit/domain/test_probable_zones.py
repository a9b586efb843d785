"""Zones that clocks probably show, from times without a zone and the times of their records."""

from __future__ import annotations

import pytest

from app.domain.probable_zones import probable_zone, written_time

NOVEMBER = 1_795_975_200  # 2026-11-29T18:00:00Z
JULY = 1_783_339_200
HOUR = 3600


@pytest.mark.parametrize(
    ("ahead", "at", "offset", "zones"),
    [
        ([9 * HOUR - 1, 9 * HOUR - 0.2, 9 * HOUR - 30], NOVEMBER, "+09:00", ["Asia/Tokyo", "Asia/Seoul"]),
        ([5.5 * HOUR - 2] * 3, NOVEMBER, "+05:30", ["Asia/Kolkata", "Asia/Colombo"]),
        ([-5 * HOUR - 1, -5 * HOUR + 3, -5 * HOUR], NOVEMBER, "-05:00", ["America/New_York", "America/Bogota"]),
        ([-4 * HOUR - 1] * 3, JULY, "-04:00", ["America/New_York", "America/Santiago", "America/Caracas"]),
        ([-3.5 * HOUR - 1] * 3, NOVEMBER, "-03:30", ["America/St_Johns"]),
        ([-2] * 3, NOVEMBER, "+00:00", ["UTC", "Europe/London"]),
        ([9 * HOUR - 1] * 10 + [33], NOVEMBER, "+09:00", ["Asia/Tokyo", "Asia/Seoul"]),
    ],
)
def test_a_clock_whose_times_agree_has_a_zone(ahead: list[float], at: float, offset: str, zones: list[str]) -> None:
    found = probable_zone(ahead, at)

    assert found is not None
    assert (found.offset, list(found.zones)) == (offset, zones)


@pytest.mark.parametrize(
    "ahead",
    [
        [9 * HOUR - 1] * 2,  # too few
        [9 * HOUR - 1, 8 * HOUR - 1, 9 * HOUR - 2],  # they do not agree
        [9 * HOUR + 60] * 3,  # after the record, in any zone
        [9 * HOUR - 300] * 3,
        [7.75 * HOUR] * 3,  # no zone of today
        [20 * HOUR] * 3,
        [HOUR * n / 7 for n in range(20)],  # a backlog
        [],
    ],
)
def test_of_other_times_nothing_is_said(ahead: list[float]) -> None:
    assert probable_zone(ahead, NOVEMBER) is None


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-11-30 03:00:01,250 ERROR [main] com.x.Pay - failed", (9 * HOUR + 1.25, False)),
        ("2026-11-30 03:00:01", (9 * HOUR + 1, False)),
        ("Nov 29 13:00:00 kiln sshd[7]: x", (-5 * HOUR, False)),
        ("2026-11-30T03:00:00+09:00 INFO x", (0, True)),
        ("no time at all", None),
        ("", None),
    ],
)
def test_a_written_time_is_taken_for_utc(written: str, found: tuple[float, bool] | None) -> None:
    assert written_time(written, NOVEMBER * 1000) == found

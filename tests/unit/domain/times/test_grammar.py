"""Any time that a generator writes over the grammar is read right or not claimed, in lines and in values."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.times import ReadTime, TimeReading, find_time, read_time, zone_named
from app.domain.times.find import search_time
from app.domain.times.quick import quick_access_time, quick_time
from app.domain.times.zones import OFFSET_OF, zone_names

patiently = settings(deadline=None, max_examples=500)

EPOCH = datetime(1970, 1, 1)
EPOCH_UTC = EPOCH.replace(tzinfo=UTC)
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

moments = st.datetimes(datetime(2015, 1, 2), datetime(2037, 12, 30)).map(lambda moment: moment.replace(microsecond=0))


class Written(NamedTuple):
    """A time as it was written, and which it is."""

    text: str
    local: datetime
    fraction: str
    zone: str


def _dates(moment: datetime) -> list[str]:
    """All ways to write the date of a moment that have a year and one meaning."""
    y, m, d = f"{moment.year}", f"{moment.month:02}", f"{moment.day:02}"
    name, weekday = MONTHS[moment.month - 1], DAYS[moment.weekday()]
    ways = [f"{y}-{m}-{d}", f"{y}/{m}/{d}", f"{y}.{m}.{d}", f"{y}{m}{d}", f"{d}.{m}.{y}", f"{y}-{moment:%j}"]
    for month in (name, name[:3], name[:3].upper(), name[:3].lower()):
        ways += [f"{d}-{month}-{y}", f"{d}/{month}/{y}", f"{d} {month} {y}", f"{month} {d} {y}", f"{month} {d}, {y}"]
        ways += [f"{weekday[:3]}, {d} {month} {y}", f"{weekday[:3]} {month} {d} {y}", f"{y} {month} {d}"]
    ways += [f"{weekday}, {d}-{name[:3]}-{y[2:]}", moment.strftime("%G-W%V-%u")]
    ways += [
        f"{moment.day}.{moment.month}.{y}",
        f"{y}年{moment.month}月{moment.day}日",
        f"{y}:{m}:{d}",
        f"{d}{name[:3]}{y}",
    ]
    ways += [f"{weekday}, {name} {moment.day}, {y}", f"{weekday[:3]}, {y}-{m}-{d}", f"{moment.day}. {name} {y}"]
    ways += [f"{weekday[:3].upper()} {d}/{name[:3].upper()}/{y}", f"{moment.day} de {name.lower()} de {y}"]
    if moment.day > 12:
        ways += [f"{d}/{m}/{y}", f"{m}/{d}/{y}", f"{m}-{d}-{y}", f"{moment.day}/{moment.month}/{y}"]
    return ways


def _clocks(moment: datetime) -> list[str]:
    hour12 = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    minutes = f"{moment:%M:%S}"
    return [
        *(f"{moment:%H:%M:%S}@", f"{moment.hour}:{minutes}@", f"{moment:%H.%M.%S}@"),
        *(f"{hour12}:{minutes}@ {half}", f"{hour12:02}:{minutes}@{half}", f"{hour12}:{minutes}@ {half.lower()}"),
        *(f"{hour12}:{minutes} {half}@", f"{hour12}:{minutes}@ {half[0].lower()}.m."),
        *(
            f"{hour12}:{minutes}@ {half[0]}.M.",
            f"{hour12:02}:{minutes}@{half.lower()}",
            f"{hour12}:{minutes}@ {half.title()}",
        ),
        *(
            f"{hour12}:{minutes}@\u202f{half}",
            f"{hour12}:{minutes}@\u00a0{half.lower()}",
            f"{hour12:02}.{moment:%M.%S}@ {half}",
        ),
    ]


def _offset(zone: str) -> int | None:
    """Seconds ahead of UTC of a zone as the generator writes it; None for none."""
    return _ZONES[zone]


def _zones() -> dict[str, int | None]:
    found: dict[str, int | None] = {"": None, "Z": 0, " Z": 0, " UTC": 0, " GMT": 0, "UTC": 0}
    for quarter in range(-48, 57):
        sign, (hours, part) = "-" if quarter < 0 else "+", divmod(abs(quarter), 4)
        secs = quarter * 900
        for blank in ("", " "):
            found |= {f"{blank}{sign}{hours:02}:{part * 15:02}": secs, f"{blank}{sign}{hours:02}{part * 15:02}": secs}
        found[f" GMT{sign}{hours:02}:{part * 15:02}"] = secs
        found[f" (UTC{sign}{hours:02}:{part * 15:02})"] = secs
        found[f" {sign}{hours:02}{part * 15:02} (XYZ)"] = secs
        if part == 0:
            found |= {f" {sign}{hours:02}": secs, f"{sign}{hours:02}": secs, f" UTC{sign}{hours}": secs}
    return found | {f" {name}": secs for name, secs in OFFSET_OF.items() if name not in ("z", "utc", "gmt", "Utc", "Z")}


_ZONES = _zones()


def times_in(zones: list[str]) -> st.SearchStrategy[Written]:
    """Times over the whole grammar, each with one of the zones."""
    return st.builds(
        lambda moment, date, joint, clock, fraction, zone: Written(
            f"{_pick(_dates(moment), date)}{joint}{_pick(_clocks(moment), clock).replace('@', fraction)}{zone}",
            moment,
            fraction,
            zone,
        ),
        moments,
        st.integers(0, 99),
        st.sampled_from(["T", " ", "  ", "_", ", ", "\t", " at "]),
        st.integers(0, 99),
        st.just("")
        | st.text("0123456789", min_size=1, max_size=12).map(".{}".format)
        | st.text("0123456789", min_size=1, max_size=9).map(",{}".format),
        st.sampled_from(zones),
    ).filter(lambda time: not re.search("[A-Za-z.][Z+U-]", time.text[9:]))  # no AMZ, p.m.+01


written = times_in(sorted(_ZONES))
zoneless = times_in([""])


def _pick(ways: list[str], number: int) -> str:
    return ways[number % len(ways)]


def _ns(written: Written) -> int:
    offset = _ZONES[written.zone] or 0
    seconds = (written.local - EPOCH) // timedelta(seconds=1) - offset
    return seconds * 10**9 + int(written.fraction[1:10].ljust(9, "0"))


READING = TimeReading(record_time_ms=2_200_000_000_000)


@patiently
@given(written)
def test_a_value_is_read_right_or_not_at_all(time: Written) -> None:
    read = read_time(time.text, READING)

    assert read.time_ns in (_ns(time), None)
    if read.time_ns is not None:
        assert read.has_zone == (_ZONES[time.zone] is not None)


@patiently
@given(
    written,
    st.sampled_from(["", "[", "<134>", "ERROR ", "[12] ", "kiln app: ", "INFO  [main] ", 'time="', "web-1  | "]),
)
def test_a_line_is_read_right_or_not_at_all(time: Written, before: str) -> None:
    found = find_time(f"{before}{time.text} started", READING)

    assert found is None or found.time_ns in (_ns(time), None)


offsets = st.integers(-48, 56).map(lambda quarter: quarter * 900)


def _sign(offset: int) -> str:
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}{minutes:02}"


@patiently
@given(zoneless, offsets, st.sampled_from(["", "[", "INFO ", "kiln: "]))
def test_a_zone_in_front_is_read_right_or_not_at_all(time: Written, offset: int, before: str) -> None:
    found = find_time(f"{before}{_sign(offset)} {time.text} started", READING)

    assert found is None or found.time_ns in (_ns(time) - offset * 10**9, None)


@pytest.mark.parametrize("weekday", ["Tue ", "Tue, ", "Tuesday, "])
@pytest.mark.parametrize("joint", "T ")
def test_a_zone_in_front_of_the_weekday_counts(weekday: str, joint: str) -> None:
    found = find_time(f"+0100 {weekday}2015-01-13{joint}00:00:00 started", READING)

    assert found is not None
    assert found.time_ns == (1_421_107_200 - 3600) * 10**9
    assert found.has_zone


@patiently
@given(zoneless, offsets, st.sampled_from(["{} ", "[{}] ", "{}.5 kiln "]))
def test_a_number_in_front_says_the_zone(time: Written, offset: int, before: str) -> None:
    expected = _ns(time) - offset * 10**9
    found = find_time(f"{before.format(expected // 10**9)}{time.text} started", READING)

    assert found is not None
    assert found.time_ns is not None
    assert found.time_ns // 10**9 == expected // 10**9


def test_nearly_all_that_is_written_is_read() -> None:
    """What may be not claimed is little: each form of date, time of day and zone beside usual ones."""
    moment = datetime(2026, 11, 29, 22, 15, 1)
    texts = [f"{date} 22:15:01.5 +0100" for date in _dates(moment)]
    texts += [f"2026-11-29 {clock.replace('@', '.5')} +0100" for clock in _clocks(moment)]
    want = (1_795_947_301 + 11 * 3600) * 10**9 + 500_000_000

    assert [text for text in texts if read_time(text, READING).time_ns != want] == []
    assert [
        text for text in texts if (find_time(f"{text} started", READING) or ReadTime(0, False, "")).time_ns != want
    ] == []
    times = {zone: f"2026-11-29 22:15:01.5{zone}" for zone in _ZONES}
    moments = {zone: want - ((_ZONES[zone] or 0) - 3600) * 10**9 for zone in _ZONES}
    assert [text for zone, text in times.items() if read_time(text, READING).time_ns != moments[zone]] == []
    lines = {zone: find_time(f"{text} started", READING) for zone, text in times.items()}
    assert [zone for zone, found in lines.items() if found is None or found.time_ns != moments[zone]] == []


QUICK_OPENINGS = ["", "[", "<34>", "<34>1 ", "10.0.0.1 - - [", "ERROR ", "x.", "app-", "(", "time="]
QUICK_DATES = [
    "2026-11-29",
    "2026/11/29",
    "2026-02-30",
    "2026-11/29",
    "Nov 29",
    "Nov  1",
    "Foo 12",
    "29/Nov/2026",
    "E1129",
    "I0230",
]
QUICK_CLOCKS = ["T10:15:01", " 10:15:01", " 23:59:59", ":10:15:01", " 24:00:00", "T10:61:01", " 9:15:01", "T10:15:60"]
QUICK_ZONES = [
    "",
    "Z",
    " UTC",
    "+0100",
    "+01:00",
    " +0100",
    "-03",
    " CET",
    " BST",
    " +08",
    " XST",
    "+2500",
    " PM",
    " AM",
]
QUICK_ENDS = [
    *("", "]", "] x", " x", " INFO x", " [main]", " [UTC]", " [7] x", ": x", ", x", " - x", " 7 x", "+x", " 2026 x"),
    *(" (CET) x", "[Europe/Paris]", " CET x", "x", " pm", " p.m. x", " a.b", '"', "|x", "\tINFO", "  INFO", " ERROR:"),
    *(" WEB01 x: y", " EST5EDT x", " UTC-3 x", " Europe/Paris x", " utc x", " Kiln x: y", " P.M. x", " kiln"),
    *(" 77 a.go:7] x", "  HKT x", "\tHKT x", ", HKT x", "  +0800 x", " CET/CEST x", " Pacific Standard Time"),
    *("\t+08 x", " [+08] x"),
    *(" kiln sshd[7]: x", "] [2026-11-29T09:15:01Z] x", " 2026-11-29T09:15:01Z x", " | 2026-11-29 09:15:01 x", ",UTC"),
]  # fmt: skip
quick_lines = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(QUICK_OPENINGS),
    st.sampled_from(QUICK_DATES),
    st.sampled_from(QUICK_CLOCKS),
    st.just("") | st.text("0123456789", max_size=10).map(".{}".format) | st.just(",123"),
    st.sampled_from(QUICK_ZONES),
    st.sampled_from(QUICK_ENDS),
)


@settings(deadline=None, max_examples=5000)
@given(quick_lines, st.sampled_from([None, "Europe/Paris", "Asia/Tokyo"]))
def test_the_quick_ways_read_as_the_grammar_does(line: str, zone: str | None) -> None:
    reading = TimeReading(record_time_ms=1_795_947_600_000, zone=zone_named(zone) if zone else None)

    quick = quick_time(line, reading) or quick_access_time(line)
    assert quick is None or quick == search_time(line, reading)


ALL_ZONES = sorted(zone_names())
# Zones that use a usual abbreviation for another offset and write few logs: docs/times.md says how it is read.
OF_OTHERS = {("Asia/Manila", "PST"), ("America/Havana", "CDT"), ("Cuba", "CDT"), ("Asia/Pyongyang", "KST")}
local_times = st.datetimes(datetime(2015, 1, 2), datetime(2037, 12, 30)).map(
    lambda moment: moment.replace(microsecond=0)
)


@settings(deadline=None, max_examples=1000)
@given(
    st.sampled_from(ALL_ZONES),
    local_times,
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["T", " ", ", ", " at "]),
    st.text("0123456789", max_size=12),
)
def test_a_time_in_any_zone_of_the_tz_database_is_read_right_or_not_claimed(
    name: str, moment: datetime, date: int, clock: int, joint: str, digits: str
) -> None:
    """In any form of date, time of day and fraction, with the zone's abbreviation, its name, and its offset."""
    local = moment.replace(tzinfo=zone_named(name))
    fraction = f".{digits}" if digits else ""
    text = f"{_pick(_dates(moment), date)}{joint}{_pick(_clocks(moment), clock).replace('@', fraction)}"
    want = round(local.timestamp()) * 10**9 + int(digits[:9].ljust(9, "0"))
    zones = [f" {local:%z}", f"[{name}]"]
    if "/" in name:  # Iran, Japan and the like are words of messages too
        zones.append(f" {name}")
    if (name, local.tzname()) not in OF_OTHERS:
        zones.append(f" {local:%Z}")

    for zone in zones:
        found = find_time(f"{text}{zone} started", READING)

        assert read_time(f"{text}{zone}", READING).time_ns in (want, None), zone
        assert found is None or found.time_ns in (want, None), zone


@patiently
@given(local_times, st.integers(0, 99), st.integers(0, 99), st.booleans(), st.sampled_from(["", "Europe/Paris"]))
def test_an_open_order_of_day_and_month_is_read_as_set_or_not_claimed(
    moment: datetime, way: int, clock: int, is_day_first: bool, zone: str
) -> None:
    """With AM or PM in capitals, the month comes first as in the United States, unless it is set otherwise."""
    day, month, year = moment.day, moment.month, moment.year
    first, second = (day, month) if is_day_first else (month, day)
    ways = [f"{first:02}/{second:02}/{year}", f"{first}/{second}/{year}", f"{first:02}-{second:02}-{year}"]
    text = f"{_pick(ways, way)} {_pick(_clocks(moment), clock).replace('@', '')}"
    rules = zone_named(zone) if zone else None
    want = round(moment.replace(tzinfo=rules or UTC).timestamp()) * 10**9

    assert read_time(text, TimeReading(READING.record_time_ms, rules, is_day_first)).time_ns in (want, None)
    if first != second and first <= 12 and second <= 12 and not re.search("[AP]", text):
        assert read_time(text, READING).time_ns is None

"""Zones: the table of abbreviations is held to the pinned tz database, and the machine's rules are not read."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.severity import severity_of
from app.domain.times import TimeReading, find_time, read_time, zone_named
from app.domain.times.reading import IN_THE_FUTURE, ZONE_UNKNOWN
from app.domain.times.zones import OFFSET_OF, SINCE_YEAR, may_be_a_zone, zone_names
from local.paths import ROOT

TEN_FIFTEEN_ONE_NS = 1_795_947_301 * 10**9
READING = TimeReading(record_time_ms=2_200_000_000_000)

# Zones that use a name of the table for another offset, and write few logs.
EXCEPTIONS = {"PST": {"Asia/Manila"}, "PDT": {"Asia/Manila"}, "CDT": {"America/Havana", "Cuba"}}
EXCEPTIONS["KST"] = {"Asia/Pyongyang"}  # half an hour less in 2015 to 2018
OF_OTHER_TABLES = {"SGT", "MYT", "ICT", "NPT", "BRT", "TRT", "MEZ", "MESZ", "UT", "Z", "z", "utc", "gmt", "Utc"}


def uses_of_abbreviations() -> Iterator[tuple[str, str, int]]:
    """Every abbreviation in letters, a zone that uses it from `SINCE_YEAR` on, and its seconds ahead of UTC."""
    for name in sorted(zone_names()):
        zone = zone_named(name)
        assert zone is not None
        moment = datetime(SINCE_YEAR, 1, 1)
        while moment.year < 2028:
            local = moment.replace(tzinfo=zone)
            abbreviation, offset = local.tzname(), local.utcoffset()
            if abbreviation and abbreviation.isalpha() and offset is not None:
                yield abbreviation, name, round(offset.total_seconds())
            moment += timedelta(days=19)


def test_every_abbreviation_of_the_tz_database_is_in_the_table_or_cannot_be_taken_for_utc() -> None:
    zones: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for abbreviation, name, offset in uses_of_abbreviations():
        if name not in EXCEPTIONS.get(abbreviation, set()):
            zones[abbreviation][offset].add(name)

    assert zones.keys() >= OFFSET_OF.keys() - OF_OTHER_TABLES
    for abbreviation, offsets in zones.items():
        if abbreviation in OFFSET_OF:
            assert set(offsets) == {OFFSET_OF[abbreviation]}, abbreviation
        else:
            assert may_be_a_zone(abbreviation), abbreviation


@settings(deadline=None, max_examples=1000)
@given(st.sampled_from(sorted(zone_names())), st.datetimes(datetime(2005, 1, 1), datetime(2037, 12, 30)))
def test_the_name_of_any_zone_is_read_right_or_not_trusted(name: str, moment: datetime) -> None:
    local = moment.replace(microsecond=0, fold=0, tzinfo=zone_named(name))
    abbreviation = local.tzname() or ""
    assume(name not in EXCEPTIONS.get(abbreviation, set()))
    want = round(local.timestamp()) * 10**9

    for text in (
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        f"{local:%a %b %d %H:%M:%S %Z %Y}",
        f"{local:%Y-%m-%dT%H:%M:%S}[{name}]",
    ):
        read, found = read_time(text, READING), find_time(f"{text} [77] LOG:  x", READING)
        assert read.time_ns in (want, None)
        assert found is None or found.time_ns in (want, None)


@pytest.mark.parametrize("name", sorted(OFFSET_OF))
def test_no_level_is_a_zone(name: str) -> None:
    assert severity_of(name) in ("", "TRACE") or len(name) == 1


@pytest.mark.parametrize(
    "zone", ["CST", "IST", "BST", "AST", "GST", "ECT", "AMT", "WST", "XYT", "PKT", "SST", "MSD", "HAEC", "ART"]
)
def test_a_zone_that_is_not_understood_makes_the_time_untrusted(zone: str) -> None:
    for text in (f"2026-11-29 10:15:01 {zone}", f"2026-11-29 10:15:01.123 {zone}", f"Nov 29 10:15:01 2026 {zone}"):
        read = read_time(text, READING)
        found = find_time(f"{text} [77] LOG:  x", READING)

        assert (read.time_ns, read.problem) == (None, ZONE_UNKNOWN)
        assert found is not None
        assert (found.time_ns, found.problem) == (None, ZONE_UNKNOWN)
        assert text[found.start : found.end] == text


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Pacific Standard Time", "BST"])
def test_nor_behind_the_time_of_syslog(zone: str) -> None:
    found = find_time(f"Nov 29 10:15:01 {zone} x", READING)

    assert found is not None
    assert (found.time_ns, found.problem) == (None, ZONE_UNKNOWN)


@pytest.mark.parametrize(
    "zone", [" +2500", " -1567", "+99:99", " +8x", " -7", " +12345", " Europe/Nowhere", "[Mars/Phobos] +", " UTC+99"]
)
def test_a_sign_and_digits_are_never_taken_for_utc(zone: str) -> None:
    found = find_time(f"2026-11-29 10:15:01{zone} x", READING)

    assert found is None or found.time_ns is None or found.has_zone or zone.startswith("[Mars")


@pytest.mark.parametrize(
    "word",
    [
        *("ERROR", "INFO", "WARN", "ERR", "WRN", "DBG", "LOG", "CRIT", "FATAL", "TRACE", "DEBUG", "NOTICE", "SEVERE"),
        *("FINE", "PANIC", "ALERT", "INF", "FTL", "HINT", "DETAIL", "STATEMENT", "GET", "POST", "PUT", "WEB01"),
        *("W3SVC1", "MainThread", "ROOT", "AUDIT", "ALLOW", "DROP", "CBS", "TEST", "SAT", "RT", "HTTP", "A", "T"),
        *("Europe", "[main]", "(main)", "[INFO]", "<Error>", "- x", "| x", "web/1", "EST-web", "GMTime"),
    ],
)  # fmt: skip
def test_words_behind_a_time_are_no_zones(word: str) -> None:
    for line in (f"2026-11-29 10:15:01 {word} x", f"2026-11-29 10:15:01,000 {word}", f"29 Nov 2026 10:15:01 {word} x"):
        found = find_time(line, READING)

        assert found is not None
        assert (found.time_ns, found.has_zone) == (TEN_FIFTEEN_ONE_NS, False)


@pytest.mark.parametrize(
    "zone",
    [
        *(" W. Europe Standard Time", " Pacific Daylight Time", " Central European Time", " CET/CEST", "  BST"),
        *("\tBST", ", BST", " [BST]", " (BST)", "  +0860", " UTC +99", " GMT+99:00", " Europe/Nowhere"),
    ],
)  # fmt: skip
def test_zones_in_other_words_are_not_taken_for_utc(zone: str) -> None:
    found = find_time(f"2026-11-29 10:15:01{zone} x", READING)

    assert found is not None
    assert (found.time_ns, found.problem) == (None, ZONE_UNKNOWN)


@pytest.mark.parametrize(
    "zone", ["  HKT", "\tHKT", ", HKT", " (HKT)", " UTC +8", " GMT +08:00", "  +0800", "\t+08", " [+0800]", " (+08:00)"]
)
def test_zones_are_read_whatever_sets_them_apart(zone: str) -> None:
    found = find_time(f"2026-11-29 18:15:01{zone} x", READING)

    assert found is not None
    assert (found.time_ns, found.problem) == (TEN_FIFTEEN_ONE_NS, "")


def test_the_zone_that_is_set_decides_what_its_abbreviations_mean() -> None:
    text = "2026-11-29 10:15:01 CST"
    chicago, shanghai = (TimeReading(READING.record_time_ms, zone_named(name)) for name in ("US/Central", "PRC"))

    assert read_time(text, chicago).time_ns == TEN_FIFTEEN_ONE_NS + 6 * 3600 * 10**9
    assert read_time(text, shanghai).time_ns == TEN_FIFTEEN_ONE_NS - 8 * 3600 * 10**9
    assert read_time(text, TimeReading(READING.record_time_ms, zone_named("Europe/Paris"))).problem == ZONE_UNKNOWN


def test_names_of_former_years_are_not_trusted() -> None:
    assert read_time("2013-11-29 10:15:01 MSK", READING).problem == ZONE_UNKNOWN
    assert read_time("2013-11-29 10:15:01 GMT", READING).time_ns == 1_385_720_101 * 10**9


@pytest.mark.parametrize("text", ["2026-11-29 11:15:01 Europe/Paris", "2026-11-29T11:15:01[Europe/Paris]"])
def test_a_named_zone_is_read_by_its_rules(text: str) -> None:
    assert read_time(text, READING).time_ns == TEN_FIFTEEN_ONE_NS
    assert read_time(text.replace("-11-", "-07-"), READING).time_ns == 1_785_316_501 * 10**9


def test_no_zone_of_the_machine_is_known() -> None:
    assert zone_named("localtime") is None
    assert zone_named("../../etc/localtime") is None
    assert zone_named("") is None


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Gaza"]
)
def test_times_without_zone_are_read_in_the_zone_that_is_set(name: str) -> None:
    """Through a year, across both changes of the clock: as Python's zoneinfo has it, the first of two."""
    zone = zone_named(name)
    reading = TimeReading(READING.record_time_ms, zone)
    moment = datetime(2026, 1, 1, 0, 7, 11)
    while moment.year == 2026:
        want = round(moment.replace(tzinfo=zone).timestamp()) * 10**9
        for text in (f"{moment}", f"{moment:%d %b %Y %H:%M:%S}", f"{moment:%Y/%m/%d %I:%M:%S %p}"):
            read = read_time(text, reading)
            assert (read.time_ns, read.has_zone) == (want, False), text
        moment += timedelta(minutes=97)


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),  # does not occur: as if the clock had not been set forward
        ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),  # occurs twice: the first
        ("2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
        ("2026-03-28 24:00:00", "2026-03-28T23:00:00Z"),
        ("2026-10-25 23:59:60", "2026-10-25T23:00:00Z"),
    ],
)
def test_changes_of_the_clock_have_a_defined_answer(local: str, utc: str) -> None:
    berlin = TimeReading(READING.record_time_ms, zone_named("Europe/Berlin"))

    assert read_time(local, berlin).time_ns == read_time(utc, READING).time_ns


def test_a_time_without_zone_in_the_records_future_is_not_trusted() -> None:
    ten_minutes_before = TimeReading(record_time_ms=1_795_947_301_000 - 600_000)
    earlier = TimeReading(record_time_ms=1_795_947_301_000 - 600_001)
    in_tokyo = TimeReading(record_time_ms=1_795_947_301_000 - 9 * 3600 * 1000, zone=zone_named("Asia/Tokyo"))
    for text in ("2026-11-29 10:15:01", "29 Nov 2026 10:15:01", "Nov 29 10:15:01"):
        for reading in (ten_minutes_before, in_tokyo):
            found = find_time(f"{text} x", reading)
            assert found is not None
            assert found.problem == ""
        found = find_time(f"{text} x", earlier)
        assert found is not None
        assert (found.time_ns, found.problem, found.end) == (None, IN_THE_FUTURE, len(text))
        later = TimeReading(earlier.record_time_ms, future_ms=600_001)
        assert find_time(f"{text} x", later) is not None
        assert read_time("2026-11-29T10:15:01Z", earlier).time_ns == TEN_FIFTEEN_ONE_NS


def test_the_documentation_lists_every_zone_that_is_read() -> None:
    rows = re.findall(
        r"^\| (-?)(\d+)(?::(\d\d))? \| ([\w ]+) \|$", (ROOT / "docs" / "times.md").read_text(), re.MULTILINE
    )
    listed = {
        name: (-1 if sign else 1) * (int(hours) * 3600 + int(minutes or 0) * 60)
        for sign, hours, minutes, names in rows
        for name in names.split()
    }

    assert listed == {name: secs for name, secs in OFFSET_OF.items() if name not in ("Z", "z", "Utc", "utc", "gmt")}

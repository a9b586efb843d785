"""Times without a zone are read in the zone that is set: for a record by its header, or for all. Others stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.event_time import EventTimeBounds
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.times import zone_named
from app.domain.zone_rules import ZoneRules, parse_zone_rules
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


def chunk_of(values: Sequence[bytes], headers: Sequence[Headers]) -> RecordChunk:
    return RecordChunk(
        partition=Partition("logs", 0),
        topic_id="id",
        offsets=range(len(values)),
        timestamps_ms=[int(RECORD.timestamp() * 1000)] * len(values),
        values=values,
        headers=headers,
        next_offset=len(values),
    )


def decoded(value: bytes, rules: ReadingRules, headers: Headers) -> tuple[datetime, str]:
    """The time of the row, in whole seconds, and its problem."""
    chunk = chunk_of([value], [headers])
    [row] = decode(chunk, EventTimeBounds.of_retention(30), rules).rows.select(["Timestamp", "ParseError"]).to_pylist()
    return row["Timestamp"].to_pydatetime(warn=False).replace(microsecond=0), row["ParseError"]


def at(hour: int) -> datetime:
    return datetime(2026, 11, 29, 0, 15, 1, tzinfo=UTC) + timedelta(hours=hour)


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


MARS: Headers = [("timezone", b"Mars/Phobos")]
OF_ORIGIN = ReadingRules(
    zones=ZoneRules(parse_zone_rules("service:billing=America/New_York,host:tokyo-*=Asia/Tokyo,host:utc=UTC"))
)
FORMS = [
    '{{"message":"x","timestamp":"{time}","host":"{host}","service":"{service}"}}',
    '{{"msg":"x","@timestamp":"{time}","hostname":"{host}","app":"{service}","n":1}}',
    '{{"msg":"x","ts":"{time}","a":{{"b":{{"c":1}}}},"host":{{"name":"{host}"}},"service":{{"name":"{service}"}}}}',
    "Nov 29 {clock} {host} {service}[7]: x",
    "Nov 29 {clock} {host} {service}[7]: {time},123 ERROR x",
    "<13>Nov 29 {clock} {host} {service}[7]: x",
    '{{"log":"{time},123 ERROR x\\n","stream":"stderr","host":"{host}","container_name":"{service}"}}',
    '{{"log":"{{\\"msg\\":\\"x\\",\\"time\\":\\"{time}\\"}}\\n","stream":"stderr","host":"{host}",'
    '"container_name":"{service}"}}',
    'time="{time}" level=info msg=x service={service} host={host}',
    '[{{"msg":"x","time":"{time}","host":"{host}","service":"{service}"}},'
    '{{"msg":"y","host":"{host}","app":"{service}"}}]',
    "Nov 29 {clock} EST {host} {service}[7]: x",
]


def written(form: str, hour: int, host: str, service: str) -> bytes:
    clock = f"{hour:02}:15:01"
    return form.format(time=f"2026-11-29 {clock}", clock=clock, host=host, service=service).encode()


@pytest.mark.parametrize(
    ("host", "service", "zone"),
    [
        ("tokyo-1", "billing", "Asia/Tokyo"),
        ("utc", "billing", None),
        ("paris", "billing", "America/New_York"),
        ("paris", "shop", None),
    ],
)
@pytest.mark.parametrize("form", FORMS[:9])
def test_a_time_without_a_zone_is_of_the_zone_of_its_host_or_service(
    form: str, host: str, service: str, zone: str | None
) -> None:
    value = written(form, 5, host, service)
    one = ReadingRules(zone=zone_named(zone) if zone else None)

    assert decoded(value, OF_ORIGIN, ()) == decoded(value, one, ())
    assert decoded(value, OF_ORIGIN, ())[0] == at(5 if zone is None else 10 if "York" in zone else -4)


def test_the_host_and_service_of_headers_have_zones_too() -> None:
    value = b"2026-11-29 05:15:01,123 ERROR failed"

    assert decoded(value, OF_ORIGIN, [("host.name", b"tokyo-1")]) == (at(-4), "")
    assert decoded(value, OF_ORIGIN, [("service.name", b"billing")]) == (at(10), "")
    assert decoded(b'{"message":"x","time":"2026-11-29 05:15:01"}', OF_ORIGIN, [("host.name", b"tokyo-1")])[0] == at(-4)


def test_the_zone_in_a_header_counts_before_that_of_the_host() -> None:
    for form in FORMS[:9]:
        value = written(form, 5, "paris", "billing")
        assert decoded(value, OF_ORIGIN, TOKYO) == (at(-4), "")


def test_events_of_one_record_have_the_zones_of_their_own_hosts() -> None:
    value = b"[" + b",".join(written(FORMS[0], 5, host, "x") for host in ("tokyo-1", "paris", "tokyo-2")) + b"]"
    rows = decode(chunk_of([value], [()]), EventTimeBounds.of_retention(30), OF_ORIGIN).rows

    assert [moment.hour for moment in rows["Timestamp"].to_pylist()] == [20, 5, 20]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(FORMS),
            st.integers(0, 23),
            st.sampled_from(["tokyo-1", "utc", "paris"]),
            st.sampled_from(["billing", "shop"]),
            st.sampled_from([(), [("x", b"y")], [("service.name", b"billing")], TOKYO, MARS]),
        ),
        max_size=8,
    )
)
def test_a_chunk_of_many_hosts_is_read_as_each_host_alone(records: list[tuple[str, int, str, str, Headers]]) -> None:
    """Of plain objects, whose times are read column by column, as of all others, whose are read with the event."""
    values = [written(*record[:4]) for record in records]
    rows = decode(chunk_of(values, [record[4] for record in records]), EventTimeBounds.of_retention(30), OF_ORIGIN).rows
    alone = []
    for value, (_, _, host, service, headers) in zip(values, records, strict=True):
        of_service = "America/New_York" if service == "billing" else "UTC"
        zone = {"tokyo-1": "Asia/Tokyo", "utc": "UTC"}.get(host, of_service)
        one = ReadingRules(zone=None if headers == MARS else zone_named(zone))
        alone += decode(chunk_of([value], [headers]), EventTimeBounds.of_retention(30), one).rows.to_pylist()

    ignored = ("_offset", "record_time_ms")
    strip = [{name: value for name, value in row.items() if name not in ignored} for row in rows.to_pylist()]
    assert strip == [{name: value for name, value in row.items() if name not in ignored} for row in alone]


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ({"tz": "+0100"}, (at(9), "")),
        ({"timezone": "Asia/Tokyo"}, (at(1), "")),
        ({"tz": "Mars"}, (RECORD, "timestamp: zone not understood")),
        ({"tz": ""}, (at(10), "")),
        ({"tz": None}, (at(10), "")),
        ({}, (at(10), "")),
    ],
)
def test_a_zone_beside_a_day_and_a_time_of_day_in_keys_of_their_own_counts(
    beside: dict[str, object], found: tuple[datetime, str]
) -> None:
    event = {"date": "2026-11-29", "time": "10:15:01", "msg": "x", **beside}

    assert decoded(json.dumps(event).encode(), DEFAULT_RULES, ()) == found

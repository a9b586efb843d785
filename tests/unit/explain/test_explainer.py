"""What is explained is what is stored, and says which piece of a record was read by which rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import masking_of
from app.domain.reader import Reader
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.times import zone_named
from app.domain.zone_rules import ZoneRules, parse_zone_rules
from app.explain.explained import Explained, TimeFrom
from app.explain.explainer import Explainer, row_object
from app.explain.text import lines_of
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import decode
from tests.golden.corpus import records
from tests.support.text_programs import LINES
from tests.unit.formats.json_events import PROGRAMS
from tests.unit.pipeline.test_event_columns import objects, texts

BOUNDS = EventTimeBounds.of_retention(30)
RECORD_MS = 1_795_947_301_000  # 2026-11-29T10:15:01Z
IN_TOKYO = (("timezone", b"Asia/Tokyo"),)
SETTINGS = {
    "DEFAULT_TIMEZONE": "UTC",
    "DAY_FIRST": "",
    "LEVELS_FROM_STATUS": "true",
    "TIMEZONES": "host:kiln=Asia/Tokyo",
    "FUTURE_TOLERANCE_SECS": "600",
    "MAX_ATTRIBUTE_DEPTH": "16",
}


def chunk_of(values: list[bytes | None], headers: list[Headers] | None = None) -> RecordChunk:
    count = len(values)
    none: list[Headers] = [()] * count
    return RecordChunk(Partition("logs", 1), "id", range(count), [RECORD_MS] * count, values, headers or none, count)


def explained(
    value: bytes | str | dict[str, Any], *headers: tuple[str, str], rules: ReadingRules = DEFAULT_RULES
) -> Explained:
    """What is explained of a record of one row."""
    given = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    chunk = chunk_of([given], [[(name, text.encode()) for name, text in headers]])
    [(_, found)] = Explainer(BOUNDS, rules, Reader(SETTINGS, "")).explain(chunk)
    return found


def corpus() -> list[tuple[bytes | None, Headers]]:
    """All records that other tests have expectations for."""
    found: list[tuple[bytes | None, Headers]] = list(zip(*records(), strict=True))
    found += [(line.text.encode(), ()) for line in LINES]
    found += [(program.record.encode(), ()) for program in PROGRAMS.values()]
    return found


@pytest.mark.parametrize(
    "rules",
    [DEFAULT_RULES, ReadingRules(zone_named("Asia/Tokyo"), day_first=True, levels_from_status=False)],
    ids=["default", "Tokyo"],
)
def test_the_rows_that_are_explained_are_those_that_are_stored(rules: ReadingRules) -> None:
    values, headers = zip(*corpus(), strict=True)
    chunk = chunk_of(list(values), list(headers))

    stored = decode(chunk, BOUNDS, rules, "reader").rows
    found = list(Explainer(BOUNDS, rules, Reader(SETTINGS, "")).explain(chunk))

    assert len(found) == stored.num_rows
    for row, (_, one) in enumerate(found):
        assert {**one.row, "_reader": "reader"} == row_object(stored.slice(row, 1))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(objects | texts | st.none(), min_size=1, max_size=4), st.sampled_from([(), (("timezone", b"Asia/Tokyo"),)])
)
def test_the_rows_of_any_records_are_explained_as_they_are_stored(values: list[bytes | None], headers: Headers) -> None:
    chunk = chunk_of(values, [headers] * len(values))
    stored = decode(chunk, BOUNDS, DEFAULT_RULES, "reader").rows
    found = Explainer(BOUNDS, DEFAULT_RULES, Reader(SETTINGS, "")).explain(chunk)

    assert [{**one.row, "_reader": "reader"} for _, one in found] == [
        row_object(stored.slice(row, 1)) for row in range(stored.num_rows)
    ]
    assert all("not read" not in one.forms for _, one in found)


def test_what_was_masked_is_counted_and_not_shown_as_what_a_field_was_read_from() -> None:
    rules = ReadingRules(masking=masking_of("cards,passwords", ""))
    values: list[bytes | None] = [b"plain", b'{"message":"paid with 4111111111111111","password":"hunter2"}']

    plain, one = [one for _, one in Explainer(BOUNDS, rules, Reader(SETTINGS, "")).explain(chunk_of(values))]

    assert plain.masked == {}
    assert one.masked == {"passwords": 1, "cards": 1}
    assert "4111111111111111" not in json.dumps(one.as_object()) + "".join(lines_of(one))
    assert "hunter2" not in json.dumps(one.as_object()) + "".join(lines_of(one))
    assert any(line.split()[:3] == ["masked", "cards:", "1"] for line in lines_of(one))


def test_a_record_at_which_a_reader_fails_is_explained_as_such() -> None:
    class FailsForOne(Explainer):
        """An explainer whose reader fails for records that hold "bad"."""

        def _all(self, chunk: RecordChunk) -> Iterator[tuple[int, Explained]]:
            if b"bad" in chunk.values:
                raise ZeroDivisionError
            return super()._all(chunk)

    found = FailsForOne(BOUNDS, DEFAULT_RULES, Reader(SETTINGS, "")).explain(chunk_of([b"a", b"bad", b"c"]))

    assert [one.form for _, one in found] == ["text", "not read", "text"]
    assert [one.row["message"] for _, one in found] == ["a", "bad", "c"]


def test_every_row_of_the_corpus_says_its_form_and_where_its_time_and_level_come_from() -> None:
    values, headers = zip(*corpus(), strict=True)

    for _, one in Explainer(BOUNDS, DEFAULT_RULES, Reader(SETTINGS, "")).explain(chunk_of(list(values), list(headers))):
        assert one.forms
        assert one.sources["timestamp"].source
        assert not one.row["level"] or one.sources["level"].source, one
        assert not one.row["service"] or one.sources["service"].source, one
        assert json.dumps(one.as_object())


CASES: list[tuple[bytes | str | dict[str, Any], str, dict[str, tuple[str, str, str]]]] = [
    (
        {"time_local": "29/Nov/2026:10:15:01 +0000", "msg": "x"},
        "JSON",
        {"timestamp": ("key time_local", "29/Nov/2026:10:15:01 +0000", "its zone is written")},
    ),
    (
        {"channel": "shop", "datetime": 1795947301, "level": 400, "level_name": "ERROR", "message": "m"},
        "JSON",
        {
            "timestamp": ("key datetime", "1795947301", "a number since 1970"),
            "level": ("key level_name", "ERROR", "a name counts before level 400"),
        },
    ),
    (
        {"reqId": "1", "app": "files", "level": 3},
        "JSON",
        {"level": ("key level", "3", "a number on the scale of Nextcloud")},
    ),
    ({"level": 3, "a": 1}, "JSON", {"level": ("key level", "3", "a number, and no key tells its scale")}),
    ({"a": 1}, "JSON", {"message": ("all values", "", "no key holds a message")}),
    ({"error": "boom"}, "JSON", {"message": ("key error", "boom", "there is no other message")}),
    (
        {"@mt": "Hello, {User}", "User": "alice"},
        "JSON",
        {"message": ("key @mt", "Hello, {User}", "a template, filled with the other values")},
    ),
    (
        {"m": 1, "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        "JSON",
        {"span_id": ("key traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "")},
    ),
    (
        "Nov 29 10:15:01 kiln sshd[77]: Accepted password",
        "syslog",
        {
            "timestamp": (
                *("the time of the line", "Nov 29 10:15:01"),
                "no zone is written, so it is read in UTC, by DEFAULT_TIMEZONE",
            ),
            "service": ("the header of syslog", "sshd", ""),
            "host": ("the header of syslog", "kiln", ""),
        },
    ),
    (
        "2026-11-29 10:15:01Z [main] WARN  a.b.C - m",
        "line with a time",
        {"level": ("the header of the line", "WARN", "")},
    ),
    ("[W 261129 10:15:01 web:5] m", "line with a time", {"level": ("what stands in front of the time", "[W", "")}),
    (
        '1.2.3.4 - - [29/Nov/2026:10:15:01 +0100] "GET / HTTP/1.1" 503 5',
        "access log",
        {"level": ("the HTTP status", "503", "")},
    ),
    ("ts=2026-11-29T10:15:01Z lvl=warn msg=x", "logfmt", {"level": ("a pair", "lvl=warn", "")}),
    ("<11>1 2026-11-29T10:15:01Z h app 7 - - x", "syslog (RFC 5424)", {"level": ("the PRI of syslog", "<11>", "")}),
    ("<11>x", "syslog", {"level": ("the PRI of syslog", "<11>", "")}),
    (
        "2026-11-29 10:15:01 a, b = c: this is where [error] happened",
        "line with a time",
        {"level": ("a marked word in the message", "", "")},
    ),
    ("Nov 29, 2026 10:15:01 AM a.B c\nSEVERE: x", "line with a time", {"level": ("the second line", "", "")}),
    (
        '2026-11-29T10:15:01.5Z stdout F {"ts":"2026-11-29T10:15:01.4+00:00","msg":"m","level":"warn"}',
        "CRI > JSON",
        {
            "timestamp": (
                *("key ts", "2026-11-29T10:15:01.4+00:00"),
                "the event's time counts before its carrier's, since its zone is written",
            ),
            "level": ("key level", "warn", ""),
        },
    ),
    (
        "2026-11-29T10:15:01.5Z stderr F plain words",
        "CRI > text",
        {"timestamp": ("what CRI says", "2026-11-29T10:15:01.5Z", "its zone is written")},
    ),
    (
        {"log": "2026-11-29 19:15:00 INFO m", "stream": "stdout", "time": "2026-11-29T10:15:01Z"},
        "container JSON > line with a time",
        {
            "timestamp": (
                *("the time of the line", "2026-11-29 19:15:00"),
                "the event's time has no zone, and is read at the offset at which it agrees with its carrier's",
            )
        },
    ),
    (
        {"log": "m", "stream": "stdout", "time": "2026-11-29T10:15:01Z", "container_name": "/web"},
        "container JSON > text",
        {"service": ("key container_name", "/web", "")},
    ),
    ('{"log":"{\\"msg\\":\\"m\\"}","stream":"stdout"}', "container JSON > JSON", {"message": ("key msg", "m", "")}),
    (
        {"service": {"name": "shop"}, "msg": "m", "ok": True},
        "JSON",
        {"service": ("key service", '{"name":"shop"}', ""), "message": ("key msg", "m", "")},
    ),
    ('"{\\"msg\\":\\"m\\"}"', "JSON string > JSON", {"message": ("key msg", "m", "")}),
    ('@cee: {"msg":"m"}', "@cee > JSON", {"message": ("key msg", "m", "")}),
    ('Nov 29 10:15:01 kiln app[7]: {"level":"warn","msg":"m"}', "syslog > JSON", {"level": ("key level", "warn", "")}),
    ("CEF:0|a|b|1|100|n|5|src=1.1.1.1", "CEF or LEEF", {"message": ("the whole text", "", "")}),
    (b'\0\0\0\0\1{"msg":"m"}', "schema registry > JSON", {"message": ("key msg", "m", "")}),
    ({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "m"}}]}]}]}, "OTLP > text", {}),
    (
        {
            "resourceLogs": [
                {"scopeLogs": [{"logRecords": [{"severityNumber": 17, "timeUnixNano": "1795947301000000000"}]}]}
            ]
        },
        "OTLP",
        {
            "level": ("what OTLP says", "17", ""),
            "timestamp": ("what OTLP says", "2026-11-29T10:15:01Z", "its zone is written"),
        },
    ),
]


@pytest.mark.parametrize(("value", "form", "sources"), CASES)
def test_each_field_says_what_it_was_read_from_and_why(
    value: bytes | str | dict[str, Any], form: str, sources: dict[str, tuple[str, str, str]]
) -> None:
    found = explained(value)

    assert found.form == form
    assert {name: tuple(found.sources[name]) for name in sources} == sources


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("plain words", "the event says no time"),
        (
            "2026-11-29 10:15:01 +0790 x",
            'the event\'s own is not trusted (zone not understood): "2026-11-29 10:15:01 +0790"',
        ),
        ('{"ts":"soon","msg":"m"}', 'the event\'s own is not trusted (not a time): "soon" from key ts'),
        ("2026-11-29 18:15:01 x", "the event's own is not trusted (in the future without a zone)"),
        ("2020-11-29 10:15:01 x", "the event's own, 2020-11-29T10:15:01Z, is more than 28 days before it"),
        ("2026-12-09T10:15:01Z x", "the event's own, 2026-12-09T10:15:01Z, is too far ahead of it"),
    ],
)
def test_a_row_with_the_time_of_its_record_says_why(value: str, why: str) -> None:
    found = explained(value)

    assert found.time_from is TimeFrom.RECORD
    assert found.sources["timestamp"].source == "the time of the record in Kafka"
    assert found.sources["timestamp"].rule.startswith(why)


@pytest.mark.parametrize(
    ("value", "settings"),
    [
        ("2026-11-29 10:15:01 x", {"DEFAULT_TIMEZONE": "UTC"}),
        ("2026-11-29T10:15:01Z x", {}),
        ("03/04/2026 10:15:01 x", {"DAY_FIRST": ""}),
        ("2026-11-29 18:15:01 x", {"FUTURE_TOLERANCE_SECS": "600"}),
        ('1.2.3.4 - - [29/Nov/2026:10:15:01 +0100] "GET / HTTP/1.1" 503 5', {"LEVELS_FROM_STATUS": "true"}),
        ('{"msg":"m","level":"error"}', {}),
        ('{"k":' * 17 + "{}" + "}" * 17, {}),
        ('{"k":' * 18 + "{}" + "}" * 18, {"MAX_ATTRIBUTE_DEPTH": "16"}),
        ("2026-11-29T10:15:01.5Z stdout F 2026-11-29 19:15:01 x", {}),
    ],
)
def test_the_settings_that_a_row_hangs_on_are_named(value: str, settings: dict[str, str]) -> None:
    assert explained(value).settings == settings


def test_headers_are_named_where_they_count() -> None:
    found = explained("2026-11-29 10:15:01 x", ("timezone", "Europe/Berlin"), ("service.name", "web"))

    assert found.row["timestamp"] == "2026-11-29T09:15:01Z"
    assert (
        found.sources["timestamp"].rule == "no zone is written, so it is read in Europe/Berlin, by the header timezone"
    )
    assert tuple(found.sources["service"]) == ("header service.name", "web", "")
    assert found.settings == {}


def test_the_zone_that_is_set_is_named() -> None:
    found = explained({"ts": "2026-11-29 19:15:01", "msg": "m"}, rules=ReadingRules(zone_named("Asia/Tokyo")))

    assert found.row["timestamp"] == "2026-11-29T10:15:01Z"
    assert found.time_from is TimeFrom.ASSUMED
    assert found.sources["timestamp"].rule == "no zone is written, so it is read in Asia/Tokyo, by DEFAULT_TIMEZONE"


def test_the_zone_of_a_host_is_named() -> None:
    rules = ReadingRules(zones=ZoneRules(parse_zone_rules("host:kiln=Asia/Tokyo")))
    found = explained("Nov 29 19:15:01 kiln app: x", rules=rules)

    assert found.row["timestamp"] == "2026-11-29T10:15:01Z"
    assert found.sources["timestamp"].rule == "no zone is written, so it is read in Asia/Tokyo, by TIMEZONES"
    assert found.settings == {"TIMEZONES": "host:kiln=Asia/Tokyo"}


def test_a_record_of_several_events_has_a_row_for_each() -> None:
    chunk = chunk_of([b'[{"a":1},{"a":2}]', None])
    found = list(Explainer(BOUNDS, DEFAULT_RULES, Reader(SETTINGS, "")).explain(chunk))

    assert [(index, one.form, one.row["_item"], one.row["_items"]) for index, one in found] == [
        (0, "array > JSON", 0, 2),
        (0, "array > JSON", 1, 2),
        (1, "nothing", 0, 1),
    ]

"""Carriers that are lines of text: what they know, and the event inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.event import Event
from app.domain.event_time import rfc3339
from app.formats.reading import Reading
from app.formats.value import MAX_DEPTH
from tests.support.events import only_event

READING = Reading.of_record(1_795_947_600_000)  # 2026-11-29T10:20:00Z
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CRI = "2026-11-29T10:15:01.2Z stdout F "
SYSLOG = "Nov 29 10:15:01 kiln ovend[77]: "
INNER = '{"level":"error","msg":"cold","trace_id":"' + TRACE_ID + '"}'


def read(text: str) -> Event:
    return only_event(text.encode(), READING)


def time_of(text: str) -> str:
    """The time of the event of a text, in UTC."""
    time_ns = read(text).fields["timestamp"]
    assert isinstance(time_ns, int)
    return rfc3339(time_ns)


@pytest.mark.parametrize(
    "prefix",
    [
        CRI,
        SYSLOG,
        f"{SYSLOG}@cee: ",
        "<14>Nov 29 10:15:01 kiln ovend[77]: ",
        "<14>1 2026-11-29T10:15:01Z kiln ovend 77 - - ",
        '<14>1 2026-11-29T10:15:01Z kiln ovend 77 - [a@1 b="c"] ',
        "2026-11-29T10:15:01+00:00 kiln ovend[77]: ",
        "2026-11-29T10:15:01.123456+00:00 app[web.1]: ",
        "   2026-11-29T10:15:01.12+0000 [APP/PROC/WEB/0] OUT ",
        "oven-1  | ",
        "[pod/oven-5d4f/oven] ",
        "oven-5d4f8c7b9-x2x4z oven ",
        f"{CRI}oven-1  | ",
        f"oven-1  | {CRI}",
    ],
)
def test_json_inside_is_read_as_json(prefix: str) -> None:
    event = read(prefix + INNER)

    assert (event.fields["message"], event.fields["level"], event.fields["trace_id"]) == ("cold", "error", TRACE_ID)
    assert event.problems == []


def test_the_stream_of_cloud_foundry_is_no_level() -> None:
    event = read("2026-11-29T10:15:01.12+0000 [APP/PROC/WEB/0] ERR Listening on port 8080")

    assert (event.fields["message"], event.fields["level"]) == ("Listening on port 8080", "")
    assert event.resource == [
        ("cloudfoundry.process.type", "APP/PROC/WEB"),
        ("cloudfoundry.app.instance.id", "0"),
        ("log.iostream", "stderr"),
    ]


def test_what_the_container_runtime_knows_is_kept() -> None:
    event = read("2026-11-29T10:15:01.2Z stderr P half of")

    assert (event.fields["message"], event.resource, event.attributes) == (
        "half of",
        [("log.iostream", "stderr")],
        [("logtag", "P")],
    )


@pytest.mark.parametrize(
    ("text", "service", "resource"),
    [
        ("oven-1  | warm", "oven", {"container.name": "oven-1"}),
        ("oven_1  | warm", "oven", {"container.name": "oven_1"}),
        ("shop-oven-12 | warm", "shop-oven", {"container.name": "shop-oven-12"}),
        ("oven  | [INFO] warm", "oven", {"container.name": "oven"}),
        ("[pod/oven-5d4f/door] warm", "door", {"k8s.pod.name": "oven-5d4f", "k8s.container.name": "door"}),
        (
            *("oven-5d4f8c7b9-x2x4z door INFO warm", "door"),
            {"k8s.pod.name": "oven-5d4f8c7b9-x2x4z", "k8s.container.name": "door"},
        ),
    ],
)
def test_a_prefix_says_which_container_wrote_the_line(text: str, service: str, resource: dict[str, str]) -> None:
    event = read(text)

    assert (event.fields["service"], dict(event.resource)) == (service, resource)
    assert str(event.fields["message"]).endswith("warm")


@pytest.mark.parametrize(
    "text", ["oven | warm", "INFO  | warm", "a-b c d", "2026-11-29 | x", "oven-door open the oven", "[pod] oven"]
)
def test_what_only_resembles_a_prefix_stays_in_the_message(text: str) -> None:
    event = read(text)

    assert (event.fields["message"], event.resource) == (text, [])


@pytest.mark.parametrize(
    ("inner", "time"),
    [
        ("2026-11-29T11:15:01.123+01:00 INFO warm", "2026-11-29T10:15:01.123Z"),  # its zone is written
        ("2026-11-29T09:00:00Z INFO warm", "2026-11-29T09:00:00Z"),
        ("2026-11-29 10:15:01,123 INFO warm", "2026-11-29T10:15:01.123Z"),
        ("2026-11-29 19:15:01,123 INFO warm", "2026-11-29T10:15:01.123Z"),  # Tokyo
        ("2026-11-29 16:00:01,123 INFO warm", "2026-11-29T10:15:01.123Z"),  # Kathmandu
        ("2026-11-29 05:14:59,123 INFO warm", "2026-11-29T10:14:59.123Z"),  # New York, two seconds before
        ("2026-11-29 19:05:01,123 INFO warm", "2026-11-29T10:15:01.2Z"),  # of no zone
        ("2026-11-30 18:15:01,123 INFO warm", "2026-11-29T10:15:01.2Z"),
        ("2026-11-29 10:15:01 CST INFO warm", "2026-11-29T10:15:01.2Z"),  # a zone of several meanings
        ("INFO warm", "2026-11-29T10:15:01.2Z"),
        ("", "2026-11-29T10:15:01.2Z"),
    ],
)
def test_the_time_inside_counts_if_it_has_a_zone_or_agrees_with_the_carriers(inner: str, time: str) -> None:
    assert time_of(CRI + inner) == time


def test_the_level_inside_counts_before_that_of_the_carrier() -> None:
    event = read(f"<14>{SYSLOG}2026-11-29 10:15:01,123 ERROR com.x.Oven - cold")

    assert (event.fields["level"], event.fields["message"]) == (
        "ERROR",
        "2026-11-29 10:15:01,123 ERROR com.x.Oven - cold",
    )
    assert (event.fields["service"], event.fields["host"], event.resource) == ("ovend", "kiln", [("process.pid", "77")])
    assert event.attributes == [("log.logger", "com.x.Oven")]


def test_a_line_of_syslog_with_plain_text_stays_whole() -> None:
    event = read(f"{SYSLOG}the oven is warm")

    assert (event.fields["message"], event.attributes) == (f"{SYSLOG}the oven is warm", [("process.pid", "77")])


def test_logfmt_within_syslog_is_read() -> None:
    event = read(f'{SYSLOG}ts=2026-11-29T10:15:01.5Z level=error msg="scrape failed"')

    assert (event.fields["level"], event.fields["service"], event.fields["host"]) == ("ERROR", "ovend", "kiln")
    assert time_of(f"{SYSLOG}ts=2026-11-29T10:15:01.5Z level=error") == "2026-11-29T10:15:01.5Z"


def test_structured_data_becomes_attributes() -> None:
    event = read('<11>1 2026-11-29T10:15:01Z kiln ovend 77 OPEN [a@1 b="c \\"d\\"" e="\\]"][f g="h"] \ufeffwarm')

    assert event.attributes == [
        ("log.syslog.structured_data.a@1.b", 'c "d"'),
        ("log.syslog.structured_data.a@1.e", "]"),
        ("log.syslog.structured_data.f.g", "h"),
        ("process.pid", "77"),
        ("log.syslog.msgid", "OPEN"),
    ]


def test_the_header_and_the_extension_of_cef_become_attributes() -> None:
    event = read(r"<134>Nov 29 10:15:01 fw1 CEF:0|V|P\|x|1.0|100|Blocked it|8|src=192.0.2.1 msg=a b\=c dst=192.0.2.2")

    assert event.attributes == [
        ("cef.device.vendor", "V"),
        ("cef.device.product", "P|x"),
        ("cef.device.version", "1.0"),
        ("cef.event.class_id", "100"),
        ("cef.name", "Blocked it"),
        ("cef.severity", "8"),
        ("cef.ext.src", "192.0.2.1"),
        ("cef.ext.msg", "a b=c"),
        ("cef.ext.dst", "192.0.2.2"),
    ]
    assert (event.fields["level"], event.fields["host"]) == ("INFO", "fw1")


@pytest.mark.parametrize(
    "text", ["LEEF:1.0|V|P|1|41|src=192.0.2.1\tdst=192.0.2.2", "LEEF:2.0|V|P|1|41|^|src=192.0.2.1^dst=192.0.2.2"]
)
def test_leef_is_read_too(text: str) -> None:
    named = dict(read(text).attributes)

    assert (named["leef.event.id"], named["leef.ext.src"], named["leef.ext.dst"]) == ("41", "192.0.2.1", "192.0.2.2")


def test_carriers_are_opened_to_a_bounded_depth() -> None:
    event = read("oven-1  | " * (MAX_DEPTH + 3) + "warm")

    assert event.fields["message"] == "oven-1  | oven-1  | warm"


def test_lines_that_follow_stay_with_the_event() -> None:
    event = read(f"{CRI}2026-11-29 10:15:01,123 ERROR com.x.Oven - cold\n\tat com.x.Oven.warm(Oven.java:3)")

    assert str(event.fields["message"]).endswith("cold\n\tat com.x.Oven.warm(Oven.java:3)")


def test_bytes_that_are_not_utf_8_are_kept_as_they_are() -> None:
    value = CRI.encode() + b"w\xe4rm"

    event = only_event(value, READING)

    assert (event.fields["message"], event.problems, event.raw) == ("w\ufffdrm", ["utf-8: invalid bytes"], value)


prefixes = st.sampled_from(
    [CRI, SYSLOG, "oven-1 | ", "[pod/a/b] ", "<11>1 - a b c - ", "CEF:0|", "@cee: ", "LEEF:2.0|a|"]
)


@given(st.lists(prefixes, max_size=6).map("".join), st.text(max_size=80))
def test_no_nesting_and_no_text_raises(prefix: str, text: str) -> None:
    value = (prefix + text).encode(errors="replace")

    assert only_event(value, READING) == only_event(value, READING)

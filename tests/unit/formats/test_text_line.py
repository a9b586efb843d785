"""Parsing of text records: every layout, every rule, and hostile input."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.severity import SEVERITY_NUMBER
from app.domain.times import find_time
from app.domain.times.find import search_time
from app.formats.reading import Reading
from app.formats.text_line import TextLine, read_text_line
from tests.support.events import only_event

DAY_NS = 86_400 * 1_000_000_000


def ms(text: str) -> int:
    """Unix milliseconds of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


RECORD_MS = ms("2024-03-10T12:00:00")


def read(text: str, record_time_ms: int = RECORD_MS) -> TextLine:
    return read_text_line(text, Reading.of_record(record_time_ms))


def time_of(text: str, record_time_ms: int = RECORD_MS) -> str:
    """The parsed time, as "2024-03-10 12:00:00.000000000", or "none"."""
    found = read(text, record_time_ms).timestamp_ns
    if found is None:
        return "none"
    seconds, nanos = divmod(found, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{nanos:09}"


class Case(NamedTuple):
    text: str
    time: str  # without fraction: no fraction is expected
    severity: str = ""
    service: str = ""
    attributes: dict[str, str] = {}  # noqa: RUF012 - never changed


CASES = {
    "ISO, nothing known after it": Case("2024-03-09T08:07:06Z oven two is warm", "2024-03-09 08:07:06"),
    "Python": Case(
        "2024-03-09 08:07:06,123 - bakery.oven - WARNING - too hot",
        "2024-03-09 08:07:06.123",
        "WARN",
        attributes={"log.logger": "bakery.oven"},
    ),
    "Python without time": Case(
        "ERROR:bakery.oven:door is open", "none", "ERROR", attributes={"log.logger": "bakery.oven"}
    ),
    "Spring Boot 2": Case(
        "2024-03-09 08:07:06.123  INFO 77 --- [           main] o.b.Oven         : warm",
        "2024-03-09 08:07:06.123",
        "INFO",
        attributes={"process.pid": "77", "thread.name": "main", "log.logger": "o.b.Oven"},
    ),
    "Spring Boot 3": Case(
        "2024-03-09T08:07:06.123+01:00 ERROR 77 --- [bakery] [nio-8080-exec-1] o.b.Oven : cold",
        "2024-03-09 07:07:06.123",
        "ERROR",
        "bakery",
        {"process.pid": "77", "thread.name": "nio-8080-exec-1", "log.logger": "o.b.Oven"},
    ),
    "logback": Case(
        "2024-03-09 08:07:06.123 [oven-1] DEBUG org.bakery.Oven - warming",
        "2024-03-09 08:07:06.123",
        "DEBUG",
        attributes={"thread.name": "oven-1", "log.logger": "org.bakery.Oven"},
    ),
    "logback without date": Case(
        "08:07:06.123 [oven-1] INFO  org.bakery.Oven - warming",
        "none",
        "INFO",
        attributes={"thread.name": "oven-1", "log.logger": "org.bakery.Oven"},
    ),
    "log4j, level first": Case(
        "2024-03-09 08:07:06,123 FATAL [oven-1] org.bakery.Oven: on fire",
        "2024-03-09 08:07:06.123",
        "FATAL",
        attributes={"thread.name": "oven-1", "log.logger": "org.bakery.Oven"},
    ),
    "log4j, no thread": Case(
        "2024-03-09 08:07:06,123 WARN  org.bakery.Oven [] - hot",
        "2024-03-09 08:07:06.123",
        "WARN",
        attributes={"log.logger": "org.bakery.Oven"},
    ),
    "Rust tracing": Case(
        "2024-03-09T08:07:06.123456Z  INFO bakery::oven: warm",
        "2024-03-09 08:07:06.123456",
        "INFO",
        attributes={"log.logger": "bakery::oven"},
    ),
    "ZooKeeper": Case(
        "2024-03-09 08:07:06,123 - WARN  [Worker[id=3]/10.0.0.9:77:Oven$Door@12] - open",
        "2024-03-09 08:07:06.123",
        "WARN",
        attributes={
            "thread.name": "Worker[id=3]/10.0.0.9:77",
            "log.logger": "Oven$Door",
            "code.line.number": "12",
        },
    ),
    "OpenStack": Case(
        "oven-api.log.3.2024-03-09 2024-03-09 08:07:06.123 77 INFO oven.api [req-1 - -] warm",
        "2024-03-09 08:07:06.123",
        "INFO",
        attributes={
            "log.file.name": "oven-api.log.3.2024-03-09",
            "process.pid": "77",
            "log.logger": "oven.api",
        },
    ),
    "OpenStack without file": Case(
        "2024-03-09 08:07:06.123 77 ERROR oven.api [-] cold",
        "2024-03-09 08:07:06.123",
        "ERROR",
        attributes={"process.pid": "77", "log.logger": "oven.api"},
    ),
    "nginx error": Case(
        "2024/03/09 08:07:06 [crit] 77#78: *9 no such loaf",
        "2024-03-09 08:07:06",
        "FATAL",
        attributes={"process.pid": "77", "thread.id": "78"},
    ),
    "loguru": Case(
        "2024-03-09 08:07:06.123 | INFO     | bakery.oven:warm:12 - warm",
        "2024-03-09 08:07:06.123",
        "INFO",
        attributes={"log.logger": "bakery.oven", "code.function.name": "warm", "code.line.number": "12"},
    ),
    "zap": Case(
        "2024-03-09T08:07:06.123Z\tWARN\toven\tbakery/oven.go:12\thot\t{}",
        "2024-03-09 08:07:06.123",
        "WARN",
        attributes={"log.logger": "oven", "code.file.path": "bakery/oven.go", "code.line.number": "12"},
    ),
    "Go": Case("2024/03/09 08:07:06 listening", "2024-03-09 08:07:06"),
    "Go with file": Case(
        "2024/03/09 08:07:06.123456 oven.go:12: warm",
        "2024-03-09 08:07:06.123456",
        attributes={"code.file.path": "oven.go", "code.line.number": "12"},
    ),
    "rsyslog": Case(
        "2024-03-09T08:07:06.123456+02:00 kiln ovend: warm",
        "2024-03-09 06:07:06.123456",
        "",
        "ovend",
        {"host.name": "kiln"},
    ),
    "journald": Case(
        "2024-03-09T08:07:06Z kiln ovend[77]: warm",
        "2024-03-09 08:07:06",
        "",
        "ovend",
        {"host.name": "kiln", "process.pid": "77"},
    ),
    "Kafka": Case(
        "[2024-03-09 08:07:06,123] INFO [Oven id=1] Warm (bakery.Oven)",
        "2024-03-09 08:07:06.123",
        "INFO",
        attributes={"log.logger": "bakery.Oven"},
    ),
    "gunicorn": Case(
        "[2024-03-09 08:07:06 +0100] [77] [ERROR] door jammed",
        "2024-03-09 07:07:06",
        "ERROR",
        attributes={"process.pid": "77"},
    ),
    "Elasticsearch": Case(
        "[2024-03-09T08:07:06,123][WARN ][o.b.Oven                 ] [kiln] hot",
        "2024-03-09 08:07:06.123",
        "WARN",
        attributes={"log.logger": "o.b.Oven"},
    ),
    "Rust env_logger": Case(
        "[2024-03-09T08:07:06Z DEBUG bakery::oven] warm",
        "2024-03-09 08:07:06",
        "DEBUG",
        attributes={"log.logger": "bakery::oven"},
    ),
    "Celery": Case(
        "[2024-03-09 08:07:06,123: ERROR/MainProcess] cold",
        "2024-03-09 08:07:06.123",
        "ERROR",
        attributes={"thread.name": "MainProcess"},
    ),
    "Monolog": Case(
        "[2024-03-09T08:07:06.123456+00:00] oven.CRITICAL: on fire",
        "2024-03-09 08:07:06.123456",
        "FATAL",
        attributes={"log.logger": "oven"},
    ),
    "log4j in brackets": Case(
        "[2024-03-09 08:07:06,123] INFO  [oven-1] org.bakery.Oven - warm",
        "2024-03-09 08:07:06.123",
        "INFO",
        attributes={"thread.name": "oven-1", "log.logger": "org.bakery.Oven"},
    ),
    "RFC 5424": Case(
        '<11>1 2024-03-09T08:07:06.123456789Z kiln ovend 77 WARM [a@1 b="c"] warm',
        "2024-03-09 08:07:06.123456789",
        "ERROR",
        "ovend",
        {
            "log.syslog.structured_data.a@1.b": "c",
            "host.name": "kiln",
            "process.pid": "77",
            "log.syslog.msgid": "WARM",
        },
    ),
    "RFC 5424, nothing given": Case("<15>1 - - - - - - warm", "none", "DEBUG"),
    "RFC 3164": Case(
        "<12>Mar  9 08:07:06 kiln ovend[77]: warm",
        "2024-03-09 08:07:06",
        "WARN",
        "ovend",
        {"host.name": "kiln", "process.pid": "77"},
    ),
    "RFC 3164 without PRI": Case(
        "Mar  9 08:07:06 kiln ovend(door)[77]: open",
        "2024-03-09 08:07:06",
        "",
        "ovend",
        {"host.name": "kiln", "log.logger": "door", "process.pid": "77"},
    ),
    "RFC 3164 with an ISO time": Case(
        "<11>2024-03-09T08:07:06.5+01:00 kiln ovend[77]: cold",
        "2024-03-09 07:07:06.5",
        "ERROR",
        "ovend",
        {"host.name": "kiln", "process.pid": "77"},
    ),
    "RFC 3164, day not padded": Case(
        "Mar 9 08:07:06 kiln ovend: warm", "2024-03-09 08:07:06", "", "ovend", {"host.name": "kiln"}
    ),
    "RFC 3164 without host": Case(
        "<14>Mar  9 08:07:06 ovend[77]: warm", "2024-03-09 08:07:06", "INFO", "ovend", {"process.pid": "77"}
    ),
    "RFC 3164, version in the tag": Case(
        "Mar  9 08:07:06 kiln ovend 1.4.1: start", "2024-03-09 08:07:06", "", "ovend", {"host.name": "kiln"}
    ),
    "RFC 3164, repeated": Case(
        "Mar  9 08:07:06 kiln last message repeated 2 times",
        "2024-03-09 08:07:06",
        attributes={"host.name": "kiln"},
    ),
    "RFC 3164, prose": Case("Mar 09 08:07:06 something was warm", "2024-03-09 08:07:06"),
    "syslog with a PRI alone": Case("<3>the oven is cold", "none", "ERROR"),
    "Apache error": Case(
        "[Sat Mar 09 08:07:06 2024] [error] [client 10.0.0.9] no such loaf",
        "2024-03-09 08:07:06",
        "ERROR",
        attributes={"client.address": "10.0.0.9"},
    ),
    "Apache error 2.4": Case(
        "[Sat Mar 09 08:07:06.123456 2024] [oven:warn] [pid 77:tid 78] [client ::1:5000] AH1: hot",
        "2024-03-09 08:07:06.123456",
        "WARN",
        attributes={
            "log.logger": "oven",
            "process.pid": "77",
            "thread.id": "78",
            "client.address": "::1",
            "client.port": "5000",
        },
    ),
    "access, common": Case(
        '10.0.0.9 - ann [09/Mar/2024:08:07:06 -0700] "GET /loaf?kind=rye HTTP/1.1" 200 512',
        "2024-03-09 15:07:06",
        "INFO",
        attributes={
            "client.address": "10.0.0.9",
            "user.name": "ann",
            "http.request.method": "GET",
            "url.path": "/loaf",
            "url.query": "kind=rye",
            "http.response.status_code": "200",
            "http.response.body.size": "512",
        },
    ),
    "access, combined": Case(
        r'shop.example:443 ::1 - - [09/Mar/2024:08:07:06 +0000] "POST /loaf HTTP/2.0" 503 - "-" "a \"b\""',
        "2024-03-09 08:07:06",
        "ERROR",
        attributes={
            "server.address": "shop.example",
            "client.address": "::1",
            "http.request.method": "POST",
            "url.path": "/loaf",
            "http.response.status_code": "503",
            "user_agent.original": r"a \"b\"",
        },
    ),
    "access, no request": Case(
        r'kiln.example - - [09/Mar/2024:08:07:06 +0000] "\x16\x03" 400 0',
        "2024-03-09 08:07:06",
        "WARN",
        attributes={
            "client.address": "kiln.example",
            "http.response.status_code": "400",
            "http.response.body.size": "0",
        },
    ),
    "klog": Case(
        "E0309 08:07:06.123456   77 oven.go:12] cold",
        "2024-03-09 08:07:06.123456",
        "ERROR",
        attributes={"thread.id": "77", "code.file.path": "oven.go", "code.line.number": "12"},
    ),
    "glog with a year": Case(
        "W20230309 08:07:06.123456 77 oven.cc:12] hot",
        "2023-03-09 08:07:06.123456",
        "WARN",
        attributes={"thread.id": "77", "code.file.path": "oven.cc", "code.line.number": "12"},
    ),
    "HDFS": Case(
        "240309 080706 77 INFO bakery.Oven$Door: shut",
        "2024-03-09 08:07:06",
        "INFO",
        attributes={"process.pid": "77", "log.logger": "bakery.Oven$Door"},
    ),
    "Spark": Case(
        "24/03/09 08:07:06 WARN bakery.Oven: hot",
        "2024-03-09 08:07:06",
        "WARN",
        attributes={"log.logger": "bakery.Oven"},
    ),
    "epoch seconds": Case("1709971626 warm", "2024-03-09 08:07:06"),
    "epoch seconds with fraction": Case("1709971626.5 ERROR cold", "2024-03-09 08:07:06.5", "ERROR"),
    "epoch milliseconds": Case("1709971626123 warm", "2024-03-09 08:07:06.123"),
    "epoch in brackets": Case("[1709971626.123] warm", "2024-03-09 08:07:06.123"),
    "logfmt": Case(
        'time="2024-03-09T08:07:06+01:00" level=warning app=bakery host=kiln msg="not level=info"',
        "2024-03-09 07:07:06",
        "WARN",
        "bakery",
        {"host.name": "kiln"},
    ),
    "logfmt, epoch and unknown level": Case(
        "msg=warm ts=1709971626.5 level=loud service=ovend", "2024-03-09 08:07:06.5", "", "ovend"
    ),
    "unknown": Case("the oven is warm", "none"),
    "empty": Case("", "none"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_layout_is_read(case: Case) -> None:
    when, _, fraction = case.time.partition(".")
    found = read(case.text)
    assert time_of(case.text) == (when if when == "none" else f"{when}.{fraction.ljust(9, '0')}")
    assert found[1:5] == (case.severity, case.service, case.attributes, case.text)


def test_an_impossible_time_does_not_hide_the_rest_of_the_header() -> None:
    found = read("2024-02-30 08:07:06,123 - bakery.oven - WARNING - hot")
    assert (found.timestamp_ns, found.severity, found.attributes) == (None, "WARN", {"log.logger": "bakery.oven"})


def test_a_time_that_is_not_trusted_is_flagged() -> None:
    found = read("2024-03-09 08:07:06 CST warm")
    assert (found.timestamp_ns, found.problem) == (None, "timestamp: zone not understood")


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("[ERROR] cold", "ERROR"),
        ("[warn ] hot", "WARN"),
        ("oven [  info] warm", "INFO"),
        ("ERROR: cold", "ERROR"),
        ("error: cold", "ERROR"),
        ("Warning: hot", "WARN"),
        ("oven 2 WARN hot", ""),
        ("oven 2 (ERROR) cold", "ERROR"),
        ("INFO", "INFO"),
        ("oven|DEBUG|warm", "DEBUG"),
        ("PANIC: out of flour", "FATAL"),
        ("[notice] warm", "INFO"),
        ("[finest] [SEVERE] cold", "TRACE"),
        ("<14>Mar  9 08:07:06 kiln ovend: ERROR cold", "INFO"),
        ("Mar  9 08:07:06 kiln ovend[7]: fatal: on fire", "FATAL"),
        ("2024-03-09T08:07:06Z [oven] ERROR cold", "ERROR"),
        ('{"level": "ERROR", "cut off', ""),
        ("no error found", ""),
        ("no ERROR found", ""),
        ("an error: of judgement", ""),
        ("2024-03-09 08:07:06 alert manager: started", ""),
        ("2024-03-09 08:07:06 trace id: 17", ""),
        ("Mar  9 08:07:06 kiln ovend: critical section: entered", ""),
        ("ERRORS and WARNINGS", ""),
        ("NO_ERROR", ""),
        ("myERROR mine", ""),
        ("ALERT the baker", ""),
        ("TRACEBACK", ""),
        ("[oven] warm", ""),
        ("x" * 99 + " ERROR too far in", ""),
        ("warm\nERROR on the second line", ""),
    ],
)
def test_only_a_level_word_that_stands_apart_gives_a_severity(text: str, severity: str) -> None:
    assert read(text).severity == severity


def test_the_first_line_of_a_stack_trace_counts() -> None:
    found = read("\r\n\n2024-03-09 08:07:06,123 ERROR org.bakery.Oven: cold\r\n\tat Oven.warm(Oven.java:3)\n")
    assert found.severity == "ERROR"
    assert found.timestamp_ns == ms("2024-03-09T08:07:06") * 1_000_000 + 123_000_000


@pytest.mark.parametrize("around", ["{}", "\x1b[31m{}", "\x1b[1;31m\x1b[0m {}\x1b[0m", "\r{}\r", "\ufeff{}", "{}\r\n"])
def test_colours_and_carriage_returns_do_not_confuse(around: str) -> None:
    found = read(around.format("2024-03-09T08:07:06Z \x1b[32m INFO\x1b[0m \x1b[2mbakery::oven\x1b[0m: warm"))
    assert (found.severity, found.attributes) == ("INFO", {"log.logger": "bakery::oven"})
    assert found.timestamp_ns == ms("2024-03-09T08:07:06") * 1_000_000


def test_a_status_is_a_level_unless_the_setting_says_otherwise() -> None:
    line = '192.0.2.7 - - [09/Mar/2024:08:07:06 +0000] "GET /loaf HTTP/1.1" 502 5'
    reading = Reading.of_record(RECORD_MS)
    without = read_text_line(line, replace(reading, levels_from_status=False))

    assert (read_text_line(line, reading).severity, without.severity) == ("ERROR", "")
    assert without.attributes["http.response.status_code"] == "502"


MEGABYTE = 1_000_000
NASTY = ["a", " ", "\n", "[", "[a ", "a=", 'a="\\', "a=b ", ".log", "ERROR", "[ERROR", "no ERROR ", "a:1 "]
NASTY += ["\x1b[", "\x1b[31m", "1", "٣", "<", "<1>1 - "]
NASTY_AFTER = {
    "2024-03-09 08:07:06": [".1", " ", " [", " [ a", " INFO a-", " INFO $", "\tINFO\ta.go:1", " | INFO | a:"],
    "2024-03-09 08:07:06 INFO 1 --- [": ["] [", "a "],
    "2024-03-09 08:07:06 - INFO [": [":a", ":aaaaaaaaaaaaaaaaaaaaaaaa@1", ":aaaa@1]"],
    "[2024-03-09 08:07:06] INFO ": ["(", "(aaa", "(aaa)", "a."],
    "Mar  9 08:07:06 ": ["a", "a(", "a ", "a["],
    "2024-03-09T08:07:06Z stdout F ": ["a", "a=b ", "[", "web-1 | "],
    '<11>1 2024-03-09T08:07:06Z a b c - [a b="': ["a", '\\"', '"][a b="'],
    "CEF:0|a|b|c|d|e|f|": ["a=b ", "a ", "\\"],
    "LEEF:2.0|a|b|c|d|^|": ["a=b^", "="],
    '1.1.1.1 - - [09/Mar/2024:08:07:06 +0000] "': ['\\"', "GET ", "a", '" '],
    'a] "': ["a ", "a:1 ", "a:", "- "],
}


@pytest.mark.parametrize(
    ("opening", "again"),
    [("", again) for again in NASTY] + [(start, again) for start, many in NASTY_AFTER.items() for again in many],
)
def test_a_megabyte_of_anything_is_read_in_milliseconds(opening: str, again: str) -> None:
    text = opening + again * (MEGABYTE // len(again))
    value, reading = text.encode(), Reading.of_record(RECORD_MS)

    def secs_taken() -> float:
        started = time.process_time()
        only_event(value, reading)
        return time.process_time() - started

    # The first try also pays for memory that the process has not touched yet, which the reader does not decide.
    assert min(secs_taken() for _ in range(3)) < 0.05


printable = st.text(max_size=60)
headers = st.sampled_from([case.text for case in CASES.values()])


@st.composite
def damaged_headers(draw: st.DrawFn) -> str:
    """A known record with a piece of it replaced by anything."""
    text = draw(headers)
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:start] + draw(printable) + text[end:]


@given(st.one_of(st.text(), damaged_headers()), st.integers())
@example("\ud800", 0)
@example("\0", 0)
@example("Feb 29 00:00:00 a b: c", -62_135_596_800_000)
def test_no_text_and_no_record_time_raises(text: str, record_time_ms: int) -> None:
    found = read_text_line(text, Reading.of_record(record_time_ms))
    assert found.body is text
    assert found.severity in SEVERITY_NUMBER
    assert found.timestamp_ns is None or -(2**63) <= found.timestamp_ns < 2**63


@settings(deadline=None, max_examples=500)
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "2026-11-29",
                    "20261129",
                    "Nov 29",
                    "29.11.2026",
                    "11/29",
                    "1129",
                    "261129",
                    "2026年11月29日",
                    "I1129",
                ),
                *("10:15:01", "101501", "10.15.01", "10時15分", "1015", "10", "9:15 PM", "T1015", "T10", ".5", ",123"),
                *(" ", "T", "/", " ", "Z", "+0100", "[", "@400000006547a3f505f5e100", "1795947301", "1.79e9", "ts="),
                *("1.795947301e+09", "CreateTime:", "1795947301.5", "x", "batch 77"),
            ]
        ),
        min_size=1,
        max_size=6,
    ).map("".join)
)
def test_a_line_that_is_not_searched_for_a_time_has_none(line: str) -> None:
    times = Reading.of_record(ms("2026-11-29T12:00:00")).times

    assert find_time(line, times) == search_time(line, times)

"""Which lines continue an event."""

import re
import time

import pytest

from app.input.continuation import BeginningRule, Rule, TraceRule
from app.input.lines import Line
from app.input.multiline import joined
from tests.unit.input.traces import TRACES


def events(lines: list[bytes], rule: Rule | None = None) -> list[list[bytes]]:
    """The lines by event; blank ones are left out."""
    rule = rule or TraceRule()
    given = (Line(number, line, len(line)) for number, line in enumerate(lines, 1))
    return [(line.value or b"").split(b"\n") for line in joined(given, lambda: rule, 1_000_000)]


def lines_of(text: str) -> list[bytes]:
    return [line.encode() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_one_event(name: str) -> None:
    lines = lines_of(TRACES[name])

    assert events(lines) == [lines]


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize(
    "after",
    [
        "2026-11-29 10:15:02 INFO next",
        "29.11.2026 10:15:02 next",
        "[2026-11-29T10:15:02Z] next",
        "[29/Nov/2026:10:15:02 +0000] next",
        "Nov 29 10:15:02 host app[7]: next",
        "<34>1 2026-11-29T10:15:02Z host app",
        "10.0.0.1 - - [29/Nov/2026:10:15:02 +0000] next",
        "I1129 10:15:02.123456       1 next.go:7] next",
        '{"message":"next"}',
        "[    0.123456] next",
        "  2026-11-29T10:15:02Z  INFO next",
        "   INFO next",
        " [WARN] next",
        '  {"message":"next"}',
        "INFO:     next",
        "level=info msg=next",
        "Started GET / for 10.0.0.1 (next)",
    ],
)
def test_the_event_after_a_trace_is_another_one(name: str, after: str) -> None:
    lines = lines_of(TRACES[name])

    assert events([*lines, after.encode()]) == [lines, [after.encode()]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("one", "two"),
        ("INFO request done", "Error: boom"),
        ("2026-11-29 10:15:01 INFO done", "panic: boom"),
        ("2026-11-29 10:15:01 INFO done", "at noon we close"),
        ("2026-11-29 10:15:01 INFO done", "at the end: 7 items"),
        ("2026-11-29 10:15:01 INFO done", "at 10:15 it began"),
        ("2026-11-29 10:15:01 INFO done", "com.example.Shop: started"),
        ("2026-11-29 10:15:01 INFO done", "created 7 rows"),
        ("2026-11-29 10:15:01 INFO done", "created by admin"),
        ("2026-11-29 10:15:01 INFO done", "#1 priority"),
        ("2026-11-29 10:15:01 INFO done", "main.sell(7)"),
        ("2026-11-29 10:15:01 ERROR failed", "KeyError lists are empty"),
        ("  indented", "  indented too"),
        ('{"message":"x"}', "  indented"),
        ('{"message":"x"}', "Traceback (most recent call last):"),
        ('[{"message":"x"}]', "\tat com.example.Shop.sell(Shop.java:42)"),
        ("INFO: message", "INFO: another"),
    ],
)
def test_these_are_two_events(first: str, second: str) -> None:
    assert len(events([first.encode(), second.encode()])) == 2


def test_the_rest_of_a_trace_whose_event_is_elsewhere_stays_together() -> None:
    lines = [b"\tat a.B.c(B.java:1)", b"\tat a.B.d(B.java:2)", b"Caused by: a.b.CException: x", b"\t... 2 more"]

    assert events(lines) == [lines]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10:15:01 ERROR x\na.b.CException: one\ntwo\n  three\nfour\n\tat a.B.c(B.java:1)\nfive", 2),
        ("a.b.CException: one\ntwo\nthree\n10:15:02 INFO next", 4),
        ('10:15:01 ERROR x\nTraceback (most recent call last):\n  File "x", line 1\nValueError: a\nb\nc', 3),
        ("a.b.CException: one\n" + "more\n" * 30 + "\tat a.B.c(B.java:1)", 32 - 1),
        ("10:15:01 ERROR a.b.CException\nnext\n\tat a.B.c(B.java:1)", 2),
    ],
)
def test_a_message_of_several_lines_is_joined_if_frames_follow(text: str, count: int) -> None:
    found = events(lines_of(text))

    assert len(found) == count
    assert [line for event in found for line in event] == lines_of(text)


@pytest.mark.parametrize(
    "line",
    [
        b"(" * 1_000_000,
        b"a." * 500_000,
        b"panicked at " * 100_000,
        b" " * 1_000_000,
        b"goroutine 1 " * 100_000,
        b'{"' * 500_000,
        b"A::" * 300_000,
    ],
)
def test_no_line_takes_long(line: bytes) -> None:
    rule = TraceRule()
    rule.begin(b"panic: x")
    began = time.process_time()

    for _ in range(10):
        rule.answer(line)
        rule.begin(line)

    assert time.process_time() - began < 1


def test_events_begin_where_an_expression_says_so() -> None:
    rule = BeginningRule(re.compile(r"(?:größe|\d{3}) "))
    lines = ["no beginning", "100 one", "  two", "{three}", "größe 1", "x 100 "]

    assert [len(event) for event in events([line.encode() for line in lines], rule)] == [1, 3, 2]

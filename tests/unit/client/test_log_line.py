"""A log as a line for a terminal."""

from __future__ import annotations

from app.client.log_line import log_line

LOG = {
    "id": "1-0-5-0-t",
    "timestamp": "2026-11-24T10:00:00Z",
    "level": "WARN",
    "service": "checkout",
    "message": "card declined",
    "user_id": "7",
    "response_time_ms": None,
    "trace_id": "",
    "attributes": {"route": "/pay"},
    "resource": {"host.name": "web-1"},
    "topic": "logs",
    "partition": 0,
    "offset": 5,
}


def test_it_is_time_level_service_and_message_and_what_else_is_known() -> None:
    line = log_line(LOG, in_colour=False)

    assert line == "2026-11-24T10:00:00Z WARN  checkout card declined user_id=7 route=/pay host.name=web-1"


def test_only_the_requested_fields_are_shown() -> None:
    assert log_line({"id": "1", "message": "x", "route": "/pay"}, in_colour=False) == "x route=/pay"


def test_kafka_fields_are_shown_if_they_were_chosen() -> None:
    fields = {"id": "1", "topic": "logs", "partition": 0, "offset": 5}

    assert log_line(fields, in_colour=False, are_chosen=True) == "topic=logs partition=0 offset=5"


def test_colours_distinguish_levels_and_end_before_the_message() -> None:
    line = log_line(LOG, in_colour=True)

    assert "\x1b[33mWARN \x1b[0m checkout card declined \x1b[2muser_id=7" in line


def test_control_characters_of_a_log_are_escaped() -> None:
    evil = {"message": "a\x1b[2Jb\x07\r\x9bc", "attributes": {"k\x1b": "v\x1b[0m"}}

    line = log_line(evil, in_colour=False)

    assert line == r"a\x1b[2Jb\x07\r\x9bc k\x1b=v\x1b[0m"


def test_a_stack_trace_keeps_its_lines() -> None:
    assert log_line({"message": "error\n\tat x"}, in_colour=False) == "error\n\tat x"


def test_other_fields_are_on_a_line_of_their_own_below_a_stack_trace() -> None:
    line = log_line({"message": "error\n\tat x", "user_id": "7\n8"}, in_colour=False)

    assert line == "error\n\tat x\n    user_id=7\\n8"

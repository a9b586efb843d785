"""The arguments of `python -m app explain`."""

import argparse
import re
import time
from typing import Any, Final

from app.client.arguments import positive

SHOWN: Final = 10
_HEADER: Final = "NAME=VALUE"


def add_explain(commands: Any) -> None:
    """Add the command to those of `python -m app`."""
    parser = commands.add_parser(
        "explain",
        help="show which row a line or a record would become, and why",
        description="Show which rows records would become by these settings, and what was read from where. A file is"
        " unpacked and split as by producer.py; of more than one record a summary follows. Connects to nothing, and"
        " changes nothing. Exit code 0: done, 2: the input cannot be read.",
    )
    add = parser.add_argument
    add("input", nargs="*", metavar="INPUT", help="a file, - for standard input, or else lines, each a record")
    add("--file", metavar="FILE", help="a file, whatever its name is")
    add("--limit", type=_number, default=SHOWN, metavar="N", help=f"show N records in full (default {SHOWN})")
    add("--summary", action="store_true", help="show no record in full, only the summary")
    add("--flagged", action="store_true", help="show in full only records that were not understood completely")
    add("--json", action="store_true", help="print a line of JSON for each row, or with --summary one object")
    add(
        "--record-time",
        type=_time_ms,
        default=None,
        metavar="TIME",
        help="the time of the records in Kafka, such as 2026-11-23T10:15:00Z (default: now)",
    )
    add(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar=_HEADER,
        help="a header of the records, such as timezone=Europe/Berlin, service.name=web or traceparent=...; may be"
        " repeated",
    )
    add("--encoding", type=_encoding, default=None, metavar="NAME", help="as for producer.py, such as latin-1")
    add(
        "--multiline",
        type=_expression,
        default=None,
        metavar="off|REGEX",
        help="as for producer.py: off makes every line a record, REGEX says what begins an event",
    )


def now_ms() -> int:
    """The time now, Unix epoch."""
    return time.time_ns() // 10**6


def _number(text: str) -> int:
    return 0 if text == "0" else positive(text)


# What follows imports late: commands that ask the service over HTTP do not need it, and begin sooner.
def _time_ms(text: str) -> int:
    from app.domain.event_time import read_time_ns

    try:
        return read_time_ns(text) // 10**6
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-23T10:15:00Z") from None


def _header(text: str) -> tuple[str, bytes]:
    from app.domain.times import zone_named

    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"must be {_HEADER}, not {text!r}")
    if name.strip().lower() == "timezone" and zone_named(value.strip()) is None:
        raise argparse.ArgumentTypeError(f"{value!r} is no zone of the tz database, such as Europe/Berlin")
    return name.strip(), value.encode(errors="surrogateescape")


def _encoding(text: str) -> str:
    from app.input.encoding import is_encoding

    if not is_encoding(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no encoding that Python knows; utf-16, latin-1, cp1252 are some")
    return text


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text

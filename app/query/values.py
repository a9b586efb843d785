"""Parses values of a query (after a colon) according to the kind of their field."""

import math
import re
import struct
from collections.abc import Callable
from typing import Final

from app.domain.columns import Kind
from app.domain.event_time import read_time_ns
from app.domain.level_scales import Scale, severity_on
from app.domain.severity import SEVERITY_NUMBER, severity_of, severity_of_number
from app.domain.trace_ids import span_id_of, trace_id_of
from app.query.fields import Field, Named
from app.query.words import lowered

LEVELS: Final = tuple(name.lower() for name in SEVERITY_NUMBER if name)

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m)", re.ASCII)
_MS: Final = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}
_WHOLE: Final = re.compile(r"\+?\d{1,20}", re.ASCII)
# A date is required: a bare number could be a year or seconds.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d.*", re.ASCII | re.DOTALL)

EXPECTED: Final = {
    Kind.TEXT: ("a number such as 500, 2.5 or 1e3",),
    Kind.NUMBER: ("a number such as 500, 2.5 or 1e3",),
    Kind.WHOLE: ("a whole number from 0 to 18446744073709551615",),
    Kind.TIME: ("a date or a time such as 2026-11-23 or 2026-11-23T10:15:30Z",),
    Kind.LEVEL: LEVELS,
}
"""The values that can be compared, for each kind that supports it."""


_SPELT: Final = {"trace_id": trace_id_of, "span_id": span_id_of}


def as_stored(field: Named, text: str) -> str:
    """A text as its column has it: ids of traces and spans are stored in one spelling."""
    spelt = _SPELT.get(field.name)
    return (spelt(text) or text) if spelt and isinstance(field, Field) else text


def level_of(text: str) -> str:
    """The lowercase word for a level, in the spelling of the table if it is one of the six."""
    return lowered(severity_of(text) or text)


def level_of_number(text: str) -> str:
    """The level that is suggested in place of a number; "" for other text, and for a number that is no level.

    In an event a number counts only on a scale that is known. A suggestion is read by the person who typed the number,
    so the likeliest scale will do: syslog's 0 to 7, the tens of bunyan and pino, else OpenTelemetry's 8 to 24.
    """
    if not _WHOLE.fullmatch(text):
        return ""
    number = int(text)
    by_tens = severity_on(Scale.BUNYAN, number) if number % 10 == 0 else ""
    return lowered(severity_on(Scale.SYSLOG, number) or by_tens or severity_of_number(number))


def in_ms(text: str) -> str:
    """The number of a duration such as 500ms or 1.5s in milliseconds; other text as it is."""
    found = _DURATION.fullmatch(text)
    return f"{float(found[1]) * _MS[found[2]]:g}" if found else text


def listed(kind: Kind, text: str) -> list[str]:
    """The values of a comma-separated list, where a comma can mean nothing else: of levels and of numbers."""
    parts = list(dict.fromkeys(text.split(",")))
    if "," not in text:
        return []
    if kind is Kind.LEVEL:
        return parts if all(map(severity_of, parts)) else []
    if kind not in (Kind.NUMBER, Kind.WHOLE):
        return []
    try:
        for part in parts:
            orderable(kind, part)
    except ValueError:
        return []
    return parts


def orderable(kind: Kind, text: str) -> str | int | float:
    """Parse a value to compare a field of this kind with.

    Raises:
        ValueError: it is not one of the values in EXPECTED.
    """
    return _READERS[kind](text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("out of range")
    return number


def _float32(text: str) -> float:
    """The number as the Float32 column stores it: otherwise the query 0.1 would not find 0.1."""
    number = _number(text)
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        raise ValueError("out of range") from None


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError("no whole number")
    number = int(text)
    if number >= 2**64:
        raise ValueError("out of range")
    return number


def _severity(text: str) -> str:
    severity = severity_of(text)
    if not severity:
        raise ValueError("no level")
    return severity


def _time_ns(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError("no time")
    time_ns = read_time_ns(text)
    if not -(2**63) <= time_ns < 2**63:
        raise ValueError("out of range")
    return time_ns


_READERS: Final[dict[Kind, Callable[[str], str | int | float]]] = {
    Kind.TEXT: _number,
    Kind.NUMBER: _float32,
    Kind.WHOLE: _whole,
    Kind.TIME: _time_ns,
    Kind.LEVEL: _severity,
}

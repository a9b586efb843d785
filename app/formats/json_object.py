"""A JSON object as an event: a fast parser for valid JSON and a lenient one for the rest. Pure."""

import codecs
import json
import math
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.domain.columns import ALIASES, SENT
from app.domain.event import Event
from app.domain.json_values import flatten

# Parsed as JSON, a text can take twenty times its size in memory, in one call during which no other thread runs, not
# even the one that sends heartbeats to Kafka. At this size that is 200 MB and a fraction of a second.
MAX_JSON_BYTES: Final = 8 * 1024 * 1024

# Integers of any size stay exact. Raises ValueError, RecursionError, or TypeError for None.
parse_fast = msgspec.json.Decoder(dict[str, Any]).decode


def read_json_object(value: bytes) -> Event | None:
    """Read a JSON object as an event; None for any other text.

    Raises:
        ValueError: it begins like an object but is not one, or is too large; the message is one of a few fixed reasons.
    """
    text = value.removeprefix(codecs.BOM_UTF8).strip()
    if text[:1] != b"{":
        return None
    if len(text) > MAX_JSON_BYTES:
        raise ValueError("too large")
    try:
        return event_of(parse_fast(text))
    except (ValueError, RecursionError):
        parsed, reason = parse_leniently(text)
    event = event_of(parsed)
    if reason:
        event.problems.append(reason)
        event.raw = value
    return event


def event_of(parsed: dict[str, Any]) -> Event:
    """The event of a parsed object; removes the canonical fields from the object."""
    fields = {name: parsed.pop(name, None) for name in SENT}
    named, attributes = rest_of(parsed, lambda name: fields[name] is not None)
    return Event(fields | named, attributes)


def rest_of(rest: dict[str, Any], has_value: Callable[[str], bool]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Split an object without its canonical names into fields by an alias, and attributes.

    Of several aliases of a field the first counts, unless the field has a value already; the others are attributes.
    """
    fields: dict[str, Any] = {}
    attributes: list[tuple[str, Any]] = []
    for name, value in flatten(rest):
        if value is None:
            continue
        target = ALIASES.get(name)
        if target is not None and target not in fields and not has_value(target):
            fields[target] = value
        elif name == "attributes" and value == {}:
            continue
        else:
            attributes.append((name.removeprefix("attributes."), value))
    return fields, attributes


# Escapes are matched one by one, so that the second backslash of "\\ud800" is not taken for the start of another.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone_surrogate>u[dD][89a-fA-F]..)|.)", re.DOTALL)


def parse_leniently(value: bytes) -> tuple[dict[str, Any], str]:
    """Parse what strict JSON parsing refuses: NaN, numbers out of range, lone surrogates, bytes that are not UTF-8.

    A number that Python cannot hold stays text. Returns the parsed object, and the reason if something had to be
    replaced, else "".

    Raises:
        ValueError: it is not a JSON object; the message is one of a few fixed reasons.
    """
    text, reason = value.decode(errors="replace"), ""
    repaired = _ESCAPE.sub(lambda escape: "\\ufffd" if escape["lone_surrogate"] else escape[0], text)
    if text.encode() != value:
        reason = "utf-8: invalid bytes"
    elif repaired != text:
        reason = "json: lone surrogate"
    try:
        parsed = json.loads(repaired, parse_int=_int_or_text, parse_float=_float_or_text, parse_constant=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        raise ValueError("not valid") from None
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed, reason


def _int_or_text(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # Python refuses to convert thousands of digits
        return digits


def _float_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits

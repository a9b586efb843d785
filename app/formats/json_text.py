"""The text of JSON to values: a fast parser for valid JSON and a lenient one for the rest. Pure."""

import json
import math
import re
from typing import Any, Final

import msgspec

# Parsed as JSON, a text can take twenty times its size in memory, in one call during which no other thread runs, not
# even the one that sends heartbeats to Kafka. At this size that is 200 MB and a fraction of a second.
MAX_JSON_BYTES: Final = 8 * 1024 * 1024

# Integers of any size stay exact. Raises ValueError, RecursionError, or TypeError for None.
parse_fast = msgspec.json.Decoder(dict[str, Any]).decode
_parse_any = msgspec.json.Decoder(Any).decode


def parsed_value(text: bytes) -> tuple[Any, str]:
    """Any JSON value, and the reason if something of it had to be replaced, else "".

    Raises:
        ValueError: it is not JSON, or is too large; the message is one of a few fixed reasons.
    """
    if len(text) > MAX_JSON_BYTES:
        raise ValueError("too large")
    try:
        return _parse_any(text), ""
    except (ValueError, RecursionError):
        return parsed_leniently(text)


_BETWEEN: Final = re.compile(r"[\s,\x1e]*")


def texts_of_objects(text: bytes) -> list[bytes]:
    """The JSON objects of a text that holds nothing else: one behind the other, or with commas or RFC 7464's marks.

    [] for any other text, also for one that is an object itself or too large.
    """
    if len(text) > MAX_JSON_BYTES or text.rstrip(b", \t\r\n")[-1:] != b"}":
        return []
    found: list[bytes] = []
    rest, at = text.decode(errors="surrogateescape"), 0
    while at < len(rest):
        try:
            parsed, end = _LENIENT.raw_decode(rest, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(parsed, dict):
            return []
        found.append(rest[at:end].encode(errors="surrogateescape"))
        between = _BETWEEN.match(rest, end)
        at = between.end() if between else end
    return [] if found == [text] else found


# Escapes are matched one after the other, so that the second backslash of "\\\\ud800" is not taken for the start of
# another; runs of them at once, since a text may be full of them.
_ESCAPES = re.compile(
    r"(?P<lone_surrogates>(?:\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|[c-fC-F]..))++)"
    r"|(?:\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|[^u]|u(?![dD][89a-fA-F]..)))++",
    re.DOTALL,
)
_ESCAPE_CHARS = len("\\ud800")


def parsed_leniently(value: bytes) -> tuple[Any, str]:
    """Parse what strict JSON parsing refuses: NaN, numbers out of range, lone surrogates, bytes that are not UTF-8,
    line breaks and other control characters in texts.

    A number that Python cannot hold stays text. Returns the parsed object, and the reason if something had to be
    replaced, else "".

    Raises:
        ValueError: it is not JSON; the message is one of a few fixed reasons.
    """
    text, reason = value.decode(errors="replace"), ""
    repaired = without_lone_surrogates(text)
    if text.encode() != value:
        reason = "utf-8: invalid bytes"
    elif repaired != text:
        reason = "json: lone surrogate"
    try:
        return _LENIENT.decode(repaired), reason
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        raise ValueError("not valid") from None


_MAY_BE_LONE = re.compile(r"\\u[dD][89a-fA-F]")


def without_lone_surrogates(text: str) -> str:
    """JSON with U+FFFD in place of each escape that is half of a pair of surrogates."""
    return _ESCAPES.sub(_repaired, text) if _MAY_BE_LONE.search(text) else text


def _repaired(escapes: re.Match[str]) -> str:
    return "\\ufffd" * (len(escapes[0]) // _ESCAPE_CHARS) if escapes.lastindex else escapes[0]


def _int_or_text(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # Python refuses to convert thousands of digits
        return digits


def _float_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


_LENIENT: Final = json.JSONDecoder(parse_int=_int_or_text, parse_float=_float_or_text, parse_constant=str, strict=False)

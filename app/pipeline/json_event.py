"""JSON text to a flat event. Pure; the fast way for valid JSON and the patient way for the rest."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

# Integers of any size stay exact. Raises ValueError, RecursionError, or TypeError for None.
parse_fast = msgspec.json.Decoder(dict[str, Any]).decode

# Escapes are matched one by one, so that the second backslash of "\\ud800" is not taken for the start of another.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone_surrogate>u[dD][89a-fA-F]..)|.)", re.DOTALL)


def parse_patiently(value: bytes) -> tuple[dict[str, Any], str]:
    """What strict JSON parsing refused: NaN, numbers out of range, lone surrogates, bytes that are not UTF-8.

    A number that Python cannot hold stays the text that it was. Returns the parsed object and, where something had to
    be replaced to get it, the reason.

    Raises:
        ValueError: it is not a JSON object; the text says why, in few different words.
    """
    text, reason = value.decode(errors="replace"), ""
    mended = _ESCAPE.sub(lambda escape: "\\ufffd" if escape["lone_surrogate"] else escape[0], text)
    if text.encode() != value:
        reason = "utf-8: invalid bytes"
    elif mended != text:
        reason = "json: lone surrogate"
    try:
        parsed = json.loads(mended, parse_int=_int_or_text, parse_float=_float_or_text, parse_constant=str)
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
    except ValueError:  # Python refuses to convert some thousand digits
        return digits


def _float_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def flatten(event: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Leaves of a nested object by dotted name; lists, empty objects and what is nested too deeply stay whole."""
    pending = [iter(event.items())]
    path: list[str] = []
    while pending:
        for key, value in pending[-1]:
            name = ".".join((*path, key))
            if type(value) is dict and value and len(path) < _MAX_DEPTH:
                path.append(key)
                pending.append(iter(value.items()))
                break
            yield name, value
        else:
            pending.pop()
            if path:
                path.pop()


_MAX_DEPTH = 16  # deeper than any log is read; a name made of hundreds of keys would help nobody


def as_text(value: object) -> str:
    """A JSON value as people write it: strings bare, everything else as JSON."""
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return _deep_as_json(value)


def _deep_as_json(value: object) -> str:
    """JSON of what the parser just managed to read and the encoder, deeper in the stack, does not manage to write."""
    written: list[str] = []
    pending: list[tuple[Iterator[tuple[str, object]], str]] = [(iter([("", value)]), "")]
    while pending:
        members, closing_bracket = pending[-1]
        for opening, member in members:
            written.append(opening)
            if isinstance(member, dict):
                written.append("{")
                pending.append((_members(member), "}"))
                break
            if isinstance(member, list):
                written.append("[")
                pending.append((_items(member), "]"))
                break
            written.append(_as_json(member))
        else:
            written.append(closing_bracket)
            pending.pop()
    return "".join(written)


def _members(value: dict[str, object]) -> Iterator[tuple[str, object]]:
    for number, (key, member) in enumerate(value.items()):
        yield f"{',' if number else ''}{_as_json(key)}:", member


def _items(value: list[object]) -> Iterator[tuple[str, object]]:
    for number, item in enumerate(value):
        yield "," if number else "", item

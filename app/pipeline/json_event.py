"""JSON text to a flat event. Pure; the fast way for valid JSON and the patient way for the rest."""

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

parse_fast = orjson.loads


def parse_patiently(value: bytes) -> tuple[object, str]:
    """What strict JSON parsing refused: NaN, numbers beyond 64 bits, lone surrogates, bytes that are not UTF-8.

    Returns the parsed value and, where something had to be replaced to get it, the reason.

    Raises:
        ValueError: it is not JSON; the text says why, in few different words.
    """
    text, reason = value.decode(errors="replace"), ""
    if "\ufffd" in text and "\ufffd".encode() not in value:
        reason = "utf-8: invalid bytes"
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError:
        raise ValueError("not valid") from None
    except ValueError:
        raise ValueError("a number has too many digits") from None
    if not _is_encodable(parsed):
        parsed, reason = _replace_surrogates(parsed), "json: lone surrogate"
    return parsed, reason


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
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):  # integers beyond 64 bits, deep nesting
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_replace_surrogates(key): _replace_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    return value

"""A log as a line for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.console import printable

_PLAIN: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
_COLOURS: Final = {
    "TRACE": _DIM,
    "DEBUG": "\x1b[36m",
    "INFO": "\x1b[32m",
    "WARN": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "FATAL": "\x1b[1;31m",
}
_LEVEL_WIDTH: Final = 5
_HEAD: Final = ("timestamp", "level", "service", "message")
_MAPS: Final = ("attributes", "resource")
_ORIGIN: Final = ("topic", "partition", "offset")


def log_line(fields: Mapping[str, Any], *, in_colour: bool, are_chosen: bool = False) -> str:
    """Time, level, service and message, then every other field of the log.

    Topic, partition and offset are left out, unless the fields were chosen (`are_chosen`).
    """

    def coloured(text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if in_colour and colour and text else text

    time, level, service = (printable(text_of(fields.get(name, "")), keep="") for name in _HEAD[:-1])
    message = printable(text_of(fields.get("message", "")))
    level = level and level.ljust(_LEVEL_WIDTH)
    parts = [coloured(time, _DIM), coloured(level, _COLOURS.get(level.strip(), "")), service, message]
    pairs = (
        f"{printable(name, keep='')}={printable(text_of(value), keep='')}"
        for name, value in _others(fields, are_chosen)
    )
    others = coloured(" ".join(pairs), _DIM)
    # Beside the last line of a stack trace the other fields would look like a part of it.
    last = [f"\n    {others}"] if others and "\n" in message else [f" {others}"] if others else []
    return "".join([" ".join(filter(None, parts)), *last]).lstrip(" ")


def _others(fields: Mapping[str, Any], are_chosen: bool) -> Iterator[tuple[str, Any]]:
    left_out = (*_HEAD, *_MAPS, "id", *(() if are_chosen else _ORIGIN))
    own = {name: value for name, value in fields.items() if name not in left_out}
    for some in (own, *(fields.get(name, {}) for name in _MAPS)):
        yield from ((name, value) for name, value in some.items() if value not in ("", None))


def text_of(value: Any) -> str:
    """A value of a field as text: maps as JSON, numbers as they are written in JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

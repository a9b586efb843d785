"""A log as a line for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

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

    time, level, service, message = (_printable(str(fields.get(name, ""))) for name in _HEAD)
    level = level and level.ljust(_LEVEL_WIDTH)
    parts = [coloured(time, _DIM), coloured(level, _COLOURS.get(level.strip(), "")), service, message]
    others = " ".join(f"{_printable(name)}={_printable(str(value))}" for name, value in _others(fields, are_chosen))
    return " ".join(filter(None, [*parts, coloured(others, _DIM)]))


def _others(fields: Mapping[str, Any], are_chosen: bool) -> Iterator[tuple[str, Any]]:
    left_out = (*_HEAD, *_MAPS, "id", *(() if are_chosen else _ORIGIN))
    own = {name: value for name, value in fields.items() if name not in left_out}
    for some in (own, *(fields.get(name, {}) for name in _MAPS)):
        yield from ((name, value) for name, value in some.items() if value not in ("", None))


def _printable(text: str) -> str:
    """A log's text must not move the cursor or change the colours of the reader's terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else repr(char)[1:-1] for char in text)

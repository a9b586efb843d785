"""ArcSight's Common Event Format (CEF) and QRadar's Log Event Extended Format (LEEF): their header and extension."""

import re
from typing import Final

from app.domain.event import Event
from app.formats.reading import Reading
from app.formats.text_line import event_of_line, read_time_alone

_OPENING: Final = re.compile(r"(CEF|LEEF):(\d{1,2}(?:\.\d)?)\|", re.ASCII)
_PART: Final = re.compile(r"((?:[^|\\]|\\.){0,500})\|", re.DOTALL)
_EXTENSION: Final = re.compile(
    r"(?:(?<=\s)|^)([A-Za-z0-9_.\[\]-]{1,100})=((?:[^=\\\s]|\\.|[ \t](?![\w.\[\]-]{1,100}=)){0,2000})"
)
_PAIR: Final = re.compile(r"([^=]{1,100})=(.{0,2000})", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\|=])")
_NAMES: Final = {
    "CEF": ("device.vendor", "device.product", "device.version", "event.class_id", "name", "severity"),
    "LEEF": ("device.vendor", "device.product", "device.version", "event.id"),
}
_READ_CHARS: Final = 8000


def read(text: str, reading: Reading) -> Event:
    """The event of a text in one of these formats: its attributes are `cef.name`, `cef.ext.src` and so on.

    Its severity is not a log's: how bad an attack is, and not what went wrong in the program that reports it.
    """
    event = event_of_line(read_time_alone(text, reading, "CEF or LEEF"))
    _add_attributes(event, text)
    return event


def _add_attributes(event: Event, text: str) -> None:
    match = _OPENING.match(text)
    if match is None:
        return
    kind, at = match[1], match.end()
    text = text[:_READ_CHARS]
    prefix = kind.lower()
    for name in _NAMES[kind]:
        part = _PART.match(text, at)
        if part is None:
            return
        at = part.end()
        event.attributes.append((f"{prefix}.{name}", _ESCAPED.sub(r"\1", part[1])))
    for key, value in _leef(text, at, match[2]) if kind == "LEEF" else _EXTENSION.findall(text[at:].rstrip()):
        if value:
            event.attributes.append((f"{prefix}.ext.{key}", _ESCAPED.sub(r"\1", value)))


def _leef(text: str, at: int, version: str) -> list[tuple[str, str]]:
    """The pairs of LEEF; from version 2 on the header may name what stands between them."""
    between = "\t"
    if version.startswith("2") and (part := _PART.match(text[: at + 12], at)):
        between, at = _separator(part[1]), part.end()
    pairs = (_PAIR.fullmatch(pair.strip("\r\n")) for pair in text[at:].split(between)[:200])
    return [(pair[1].strip(), pair[2]) for pair in pairs if pair]


def _separator(text: str) -> str:
    if re.fullmatch(r"(?:0x|x)[0-9A-Fa-f]{1,4}", text):
        return chr(int(text.lstrip("0").lstrip("xX"), 16)) or "\t"
    return text[:1] or "\t"

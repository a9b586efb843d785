"""What is pushed to Loki: streams of lines with labels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.domain.event_time import Nanoseconds
from app.domain.keys import with_names_once
from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.json_names import meaning_of
from app.formats.level_words import level_of
from app.formats.reading import Reading

MARKS: Final = ("streams",)
_OF_THE_LINE: Final = frozenset(("message", "timestamp"))
_DETECTED: Final = "detected_level"
"""The label in which Loki and its agents put a level that they have found themselves."""


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"streams": [{"stream": {labels}, "values": [["nanoseconds", "line", {structured metadata}]]}]}."""
    streams = parsed["streams"]
    if len(parsed) > 1 or not isinstance(streams, list):
        return None
    try:
        return [carried for stream in streams for carried in _lines(stream, reading)] or None
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        return None


def _lines(stream: Object, reading: Reading) -> Iterator[Carried]:
    for time, line, *metadata in stream["values"]:
        named, beside = _said(stream["stream"], metadata[0] if metadata else {})
        outer = known(named, reading)
        has_level = outer.fields.get("level") or outer.severity_number
        if not has_level and level_of(str(named.get(_DETECTED, ""))):  # and not `unknown`
            outer = known({("level" if name == _DETECTED else name): named[name] for name in named}, reading)
        outer.fields |= {"timestamp": _time(time), "message": line}
        outer.time_has_zone = isinstance(outer.fields["timestamp"], Nanoseconds)
        outer.attributes = with_names_once([*outer.attributes, *beside])
        yield Carried(outer, text_inside(line) or None)


def _said(labels: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[Object, list[tuple[str, Any]]]:
    """What is known of a line, by name, and what is kept beside it: labels that its metadata names otherwise, and what
    would take the place of the line itself or its time."""
    named = {**labels, **metadata}
    beside = [(name, labels[name]) for name in labels if name in metadata and labels[name] != metadata[name]]
    taken = [name for name in named if (meaning := meaning_of(name)) and meaning.field in _OF_THE_LINE]
    return named, [*((name, named.pop(name)) for name in taken), *beside]


def _time(time: object) -> object:
    """The protocol has nanoseconds, as text; another text may be a time all the same."""
    return Nanoseconds(time) if isinstance(time, str) and time.isascii() and time.isdecimal() else time

"""What is pushed to Loki: streams of lines with labels."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("streams",)


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"streams": [{"stream": {labels}, "values": [["nanoseconds", "line", {labels}]]}]}."""
    streams = parsed["streams"]
    if len(parsed) > 1 or not isinstance(streams, list):
        return None
    try:
        return [carried for stream in streams for carried in _lines(stream, reading)] or None
    except (TypeError, KeyError, IndexError, ValueError):
        return None


def _lines(stream: dict[str, Any], reading: Reading) -> Iterator[Carried]:
    for time_ns, line, *labels in stream["values"]:
        outer = known({**stream["stream"], **(labels[0] if labels else {}), "timestamp": time_ns}, reading)
        outer.fields["message"] = line
        yield Carried(outer, text_inside(line) or None)

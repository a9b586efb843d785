"""Lines that an agent has read and added names to: Filebeat, Elastic Agent, Vector and others."""

from collections.abc import Sequence
from typing import Final

from app.formats.carriers.carried import Carried, Object, known, should_be_read, text_inside
from app.formats.reading import Reading

MARKS: Final = ("kubernetes", "agent", "source_type", "container", "container_id", "container_name")


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"message": "the line", "kubernetes": {...}}."""
    line = text_inside(parsed.get("message"))
    if not line:
        return None
    outer = known(parsed, reading, "message", "stream")
    if not should_be_read(outer, line):
        return None
    if stream := parsed.get("stream"):
        outer.resource.append(("log.iostream", stream))
    return [Carried(outer, line)]

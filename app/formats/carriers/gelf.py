"""Graylog's extended log format (GELF)."""

from collections.abc import Sequence
from typing import Final

from app.domain.level_scales import Scale
from app.formats.carriers.carried import Carried, Object, known, should_be_read, text_inside
from app.formats.reading import Reading

MARKS: Final = ("short_message",)
_OF_DOCKER: Final = "_container_id"


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"version": ..., "host": ..., "short_message": ..., "_key": ...}; further names lose their underscore."""
    line = text_inside(parsed["short_message"])
    if not line or not ("version" in parsed or "host" in parsed):
        return None
    renamed = {
        name[1:] if name[:1] == "_" and name[1:] not in parsed else name: value for name, value in parsed.items()
    }
    outer = known(renamed, reading, "version", scale=Scale.SYSLOG)
    outer.fields["message"] = line
    return [Carried(outer, line if should_be_read(outer, line) or _OF_DOCKER in parsed else None)]

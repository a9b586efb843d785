"""Google Cloud Logging's LogEntry, as sinks export it."""

from collections.abc import Sequence
from typing import Final

from app.domain.level_scales import Scale
from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("textPayload", "jsonPayload", "protoPayload")


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"textPayload" or "jsonPayload" or "protoPayload": ..., "severity": ..., "resource": ..., "trace": ...}."""
    for name in MARKS:
        payload = parsed.get(name)
        inner = payload if isinstance(payload, dict) and payload else text_inside(payload)
        if inner:
            return [Carried(known(parsed, reading, name, scale=Scale.GOOGLE), inner)]
    return None

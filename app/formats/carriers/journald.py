"""The journal of systemd as JSON, as journalctl and agents write it."""

from collections.abc import Sequence
from typing import Final

from app.domain.level_scales import Scale
from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("MESSAGE",)
_BESIDE: Final = frozenset(("__REALTIME_TIMESTAMP", "_HOSTNAME", "PRIORITY", "SYSLOG_IDENTIFIER", "_PID", "__CURSOR"))


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"MESSAGE": ..., "PRIORITY": ..., "_HOSTNAME": ...}; a message that is not text is an array of its bytes."""
    message = parsed["MESSAGE"]
    line = text_inside(_text_of(message) if isinstance(message, list) else message)
    if not line or _BESIDE.isdisjoint(parsed):
        return None
    return [Carried(known(parsed, reading, "MESSAGE", scale=Scale.SYSLOG), line)]


def _text_of(message: list[object]) -> str:
    try:
        return bytes(message).decode(errors="replace")  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""

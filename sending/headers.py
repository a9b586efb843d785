"""Headers of the records: what is true of all of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

Header = tuple[str, bytes]

_NONE = "none"
_UTC = re.compile(r"(?:Etc/)?(?:UTC|UCT|GMT|Universal|Zulu|Greenwich|(?:GMT|UTC)[+-]?0)|Factory", re.IGNORECASE)
_ZONE_FILE = re.compile(r".*zoneinfo(?:\.default)?/(?:posix/|right/)?")


def record_headers(
    *, service: str | None, host: str | None, timezone: str | None, others: Sequence[Header]
) -> list[Header]:
    """The headers that options ask for. One that is given by its name counts before an option."""
    given = {name for name, _ in others}
    known = {"service.name": service, "host.name": host, "timezone": None if timezone == _NONE else timezone}
    return [
        (name, value.encode(errors="surrogateescape")) for name, value in known.items() if value and name not in given
    ] + [*others]


def parsed_header(text: str) -> Header:
    """`NAME=VALUE`.

    Raises:
        ValueError: it is something else.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise ValueError
    return name.strip(), value.encode(errors="surrogateescape")


def is_timezone(name: str) -> bool:
    """Whether this is a zone of the tz database, such as Europe/Berlin, or `none`."""
    if name == _NONE:
        return True
    known = available_timezones()
    return name in known if known else bool(re.fullmatch(r"[A-Za-z]\w*(?:[/+-]\w+)*", name))


def machine_timezone(environ: Mapping[str, str], root: Path = Path("/")) -> str:
    """The zone of this machine by its name in the tz database; empty if it is UTC, or not known."""
    zone = _named(environ["TZ"].removeprefix(":")) if "TZ" in environ else _zone_of_files(root / "etc")
    return "" if not zone or _UTC.fullmatch(zone) else zone


def _zone_of_files(etc: Path) -> str:
    for path in _link_targets(etc / "localtime"):
        if zone := _named(path):
            return zone
    try:
        return _named((etc / "timezone").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return ""


def _link_targets(link: Path) -> list[str]:
    """Where a link leads: at once, since the names of old zones are links themselves, and in the end."""
    return [str(link.readlink()), str(link.resolve())] if link.is_symlink() else []


def _named(text: str) -> str:
    """The name of a zone, from itself or from the path of its file; empty if there is none, as for `CET-1CEST`."""
    name = _ZONE_FILE.sub("", text)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    return name

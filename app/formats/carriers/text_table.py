"""All carriers that are lines of text, in the order in which they are tried. A new one is a file and a name here."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from app.domain.event import Event
from app.formats.carriers import cef, cloud_foundry, compose, cri, kubectl, stamped
from app.formats.carriers.carried import Carried, explained
from app.formats.reading import Reading
from app.formats.text_line import TextLine, event_of_line, first_line, read_text_line

_CARRIERS: Final[Mapping[str, Callable[[str, Reading], Carried | None]]] = {
    "CRI": cri.opened,
    "Cloud Foundry": cloud_foundry.opened,
    "JSON behind a time": stamped.opened,
    "docker compose": compose.opened,
    "kubectl or stern": kubectl.opened,
}
# What a line of one of these opens with; it must not be more than nearly all lines have, for speed.
_MAY_BE: Final = re.compile(
    r" {0,4}\d{4}-\d\d-\d\dT[\d:.]{8,18}\S{1,6} (?:std|\{|\[[A-Z/_-]{2,64}/\d)|\[pod/|[\w.-]{1,130} {1,60}\|"
    r"|[a-z0-9-]{3,240}-[a-z0-9]{1,5} [a-z0-9-]{1,63} ",
    re.ASCII,
)
_CEE: Final = re.compile(r"@cee: ?(?=\{)")
_RESOURCE: Final = frozenset(("process.pid", "systemd.unit"))


def read_or_open(text: str, reading: Reading) -> Event | Carried:
    """The event of a text, or what a carrier knows and holds. Never fails, and never opens what is inside."""
    found = read_or_open_line(text, reading)
    return event_of_line(found) if isinstance(found, TextLine) else found


def read_or_open_line(text: str, reading: Reading) -> TextLine | Event | Carried:
    """The same, with a line as what was found in it, where it is no carrier and has no form of its own."""
    if (carried := opened(text, reading)) is not None:
        return carried
    if text.startswith(("CEF:", "LEEF:")):
        return cef.read(text, reading)
    line = read_text_line(text, reading)
    if line.content:
        inner = _content(text, line)
        return Carried(_of_syslog(event_of_line(line), inner), inner)
    return line


def opened(text: str, reading: Reading) -> Carried | None:
    """What the first carrier that knows this text holds, None if it is none."""
    if _MAY_BE.match(text):
        for name, carrier in _CARRIERS.items():
            if found := carrier(text, reading):
                return explained(found, name) if reading.explains else found
    elif cee := _CEE.match(text):
        inner = text[cee.end() :]
        carried = Carried(Event({"message": inner}), inner)
        return explained(carried, "@cee") if reading.explains else carried
    return None


def _content(text: str, line: TextLine) -> str:
    """The content of a line of syslog that has a form of its own, with the lines that follow."""
    head = first_line(text)
    start = text.find(head[line.content : line.content + 40].rstrip("\n"), line.content)
    if start < 0:  # colours stand within
        return head[line.content :].rstrip("\n")
    content = text[start:].rstrip("\r\n")
    cee = _CEE.match(content)
    return content[cee.end() :] if cee else content


def _of_syslog(event: Event, inner: str) -> Event:
    """What the header of syslog says, as that of a carrier: the process that wrote it is where the event ran."""
    event.fields["message"] = inner
    event.resource = [pair for pair in event.attributes if pair[0] in _RESOURCE]
    event.attributes = [pair for pair in event.attributes if pair[0] not in _RESOURCE]
    return event

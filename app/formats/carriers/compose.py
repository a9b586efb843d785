"""Lines of `docker compose logs`: the container's name and a bar in front of each."""

import re
from typing import Final

from app.domain.event import Event
from app.formats.carriers.carried import Carried
from app.formats.level_words import level_of
from app.formats.own_form import has_own_form
from app.formats.reading import Reading

_LINE: Final = re.compile(
    r"(?=\w{0,9}[A-Za-z])(?P<service>[a-zA-Z0-9][\w.-]{0,120}?)(?P<number>[-_]\d{1,4})? {1,60}\| ?", re.ASCII
)


def opened(text: str, reading: Reading) -> Carried | None:
    """`web-1  | the line`. Without a number the name could be any word: then the line must have a form of its own."""
    match = _LINE.match(text)
    if match is None or level_of(match["service"]):
        return None
    inner = text[match.end() :]
    if match["number"] is None and not has_own_form(inner):
        return None
    container = match["service"] + (match["number"] or "")
    outer = Event({"message": inner, "service": match["service"]}, [], [("container.name", container)])
    return Carried(outer, inner)

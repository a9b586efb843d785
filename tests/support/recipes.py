"""The snippets of docs/recipes.md, as tests use them: what is documented for a program is what is tested."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from local.paths import ROOT
from local.ports import LOOPBACK

RECIPES: Final = ROOT / "docs" / "recipes.md"

HTTP_PORT: Final = 8080
KAFKA_PORT: Final = 9092
SYSLOG_PORT: Final = 5514
SYSLOG_TLS_PORT: Final = 6514
"""The ports of the service, of Kafka and of syslog in all snippets; the host is localhost."""

_HEADING: Final = re.compile(r"^#+ (.+)$")
_FENCE: Final = re.compile(r"^```(\S*)$")


class Block(NamedTuple):
    """A fenced block: its language and its text."""

    language: str
    text: str


def blocks(heading: str, document: Path = RECIPES) -> list[Block]:
    """The fenced blocks under a heading, up to the next heading of any level.

    Raises:
        AssertionError: there is no such heading.
    """
    sections = _sections(document.read_text(encoding="utf-8"))
    assert heading in sections, f"{document.name} has no heading {heading!r}"
    return sections[heading]


def snippet(heading: str, language: str, document: Path = RECIPES) -> str:
    """The one block in a language under a heading.

    Raises:
        AssertionError: there is no such heading, no such block, or more than one.
    """
    texts = [block.text for block in blocks(heading, document) if block.language == language]
    assert len(texts) == 1, f"{document.name}, {heading!r}: {len(texts)} blocks of {language!r}, and not one"
    return texts[0]


def placed(text: str, ports: Mapping[int, int]) -> str:
    """A snippet for servers at other ports of this machine: by the port in the snippet, the real one.

    Raises:
        AssertionError: it names none of the ports, so it would send nothing there.
    """
    names = "|".join(map(str, ports))
    assert re.search(rf"\b({names})\b", text), f"none of the ports {names} in:\n{text}"
    text = re.sub(r"\blocalhost\b", LOOPBACK, text)  # may be ::1 too, where nothing listens
    return re.sub(rf"\b({names})\b", lambda found: str(ports[int(found[0])]), text)


def _sections(text: str) -> dict[str, list[Block]]:
    """The blocks by heading. Within a block, a line that looks like a heading is none."""
    sections: dict[str, list[Block]] = {}
    section = sections.setdefault("", [])
    inside: list[str] | None = None
    language = ""
    for line in text.splitlines():
        if inside is None and (fence := _FENCE.match(line)):
            inside, language = [], fence[1]
        elif inside is None and (title := _HEADING.match(line)):
            section = sections.setdefault(title[1], [])
        elif inside is not None and line == "```":
            section.append(Block(language, "\n".join(inside) + "\n"))
            inside = None
        elif inside is not None:
            inside.append(line)
    return sections

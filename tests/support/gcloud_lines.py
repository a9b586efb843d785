"""The calls of gcloud in the project's scripts and documents, and what is wrong with one by the facts of the SDK."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict

from local.paths import ROOT
from tests.support.shell_commands import UNKNOWN, calls

FACTS = ROOT / "tests/support/gcloud_facts.json"
_FOLDERS = ("deploy", "docs", "bench", "migrations", ".ci", ".github")
_BLOCK = re.compile(r"^( *)```(?:sh|bash|zsh|shell|console)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(gcloud [^`]+)`")


class Command(TypedDict):
    """One command of gcloud: how many words it takes (most: -1 is any number), and its flags.

    A flag is "bool", "value", or the list of the values that it accepts.
    """

    least: int
    most: int
    flags: dict[str, str | list[str]]


class Facts(TypedDict):
    """What `make gcloud-facts` found: the SDK's version, flags of all commands, and the commands by name."""

    sdk: str
    flags: dict[str, str | list[str]]
    commands: dict[str, Command]


@dataclass(frozen=True)
class Line:
    """A call of gcloud. `whole` is false if a sentence only names it."""

    file: str
    line: int
    words: list[str]
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {shlex.join(self.words)}"


def gcloud_lines() -> Iterator[Line]:
    """Every call of gcloud in scripts, in blocks of documents, and in sentences."""
    for path in _files():
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            yield from lines_of_document(name, text)
        elif path.suffix == ".sh" or re.match(r"#!.*\b(?:ba)?sh\b", text):
            yield from (Line(name, call.line, call.words) for call in calls("gcloud", text))


def lines_of_document(name: str, text: str) -> Iterator[Line]:
    # What a block assigns is known to the blocks below, as on a reader's terminal.
    script = _only_blocks(text)
    yield from (Line(name, call.line, call.words) for call in calls("gcloud", script))
    for number, line in enumerate(text.splitlines(), 1):
        for found in _SPAN.finditer(line):
            yield from (Line(name, number, call.words, whole=False) for call in calls("gcloud", found[1]))


def problems(words: list[str], facts: Facts, *, whole: bool = True) -> Iterator[str]:
    """What gcloud would refuse in a call: no such command or flag, a wrong choice, too few or too many words."""
    flags, arguments = _split(words[1:], facts)
    name = _command_of(arguments, facts)
    if name is None:
        begun = any(command.startswith(f"{' '.join(arguments)} ") for command in facts["commands"])
        if whole or not begun:
            yield f"no command {' '.join(arguments)!r}"
        return
    command = facts["commands"][name]
    for flag, value in flags:
        yield from _flag_problems(flag, value, {**facts["flags"], **command["flags"]})
    count = len(arguments) - len(name.split())
    if UNKNOWN in arguments:
        return
    if whole and count < command["least"]:
        yield f"{name} takes at least {command['least']} words"
    if 0 <= command["most"] < count:
        yield f"{name} takes at most {command['most']} words"


@cache
def known_facts() -> Facts:
    """The facts that are kept beside this file."""
    facts: Facts = json.loads(FACTS.read_text(encoding="utf-8"))
    return facts


def _flag_problems(flag: str, value: str | None, known: dict[str, str | list[str]]) -> Iterator[str]:
    kind = known.get(flag)
    if kind is None:
        yield f"no flag {flag}"
    elif kind == "bool" and value is not None:
        yield f"{flag} takes no value"
    elif kind != "bool" and value is None:
        yield f"{flag} needs a value"
    elif isinstance(kind, list) and value is not None and UNKNOWN not in value and value not in kind:
        yield f"{flag} is none of {', '.join(kind)}"


def _split(words: list[str], facts: Facts) -> tuple[list[tuple[str, str | None]], list[str]]:
    """Flags with their values, and the other words: the command's name and its arguments."""
    flags: list[tuple[str, str | None]] = []
    arguments: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if not word.startswith("--"):
            arguments.append(word)
            continue
        flag, equals, value = word.partition("=")
        if equals:
            flags.append((flag, value))
        else:
            flags.append((flag, next(rest, None) if _takes_value(flag, arguments, facts) else None))
    return flags, arguments


def _takes_value(flag: str, arguments: list[str], facts: Facts) -> bool:
    name = _command_of(arguments, facts)
    known = {**facts["flags"], **(facts["commands"][name]["flags"] if name else {})}
    return known.get(flag, "bool") != "bool"


def _command_of(arguments: list[str], facts: Facts) -> str | None:
    for end in range(len(arguments), 0, -1):
        if (name := " ".join(arguments[:end])) in facts["commands"]:
            return name
    return None


def _files() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    for folder in _FOLDERS:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if _is_text(path))


def _is_text(path: Path) -> bool:
    return path.is_file() and path.suffix in (".md", ".sh", "")


def _only_blocks(text: str) -> str:
    """The shell blocks of a document, each in its own lines."""
    lines = [""] * (text.count("\n") + 1)
    for found in _BLOCK.finditer(text):
        first = text[: found.start()].count("\n") + 1
        for number, line in enumerate(found[2].splitlines(), first):
            lines[number] = line.removeprefix(found[1])
    return "\n".join(lines)

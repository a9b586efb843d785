"""The rules by which lines are read: each pattern of the reader, and each group in it. Which match, and without them.

The reader is a grammar of patterns. While they are watched, each notes which of its groups take part in a match; and a
match in which a refused rule takes part is none. The patterns are constants of their modules, where they are replaced
for that long: handing all of them in would make the reader of every record slower for this one test.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

_PACKAGES = ("app.formats.", "app.domain.times.")


class Rule(NamedTuple):
    """A pattern, and a group in it; the group is "" for the pattern itself."""

    pattern: str
    group: str = ""


class Notes:
    """Which rules matched, and which are refused."""

    def __init__(self) -> None:
        self.matched: set[Rule] = set()
        self.refused: frozenset[Rule] = frozenset()


class WatchedPattern:
    """A pattern that notes what it matches, and stands for it everywhere."""

    def __init__(self, name: str, pattern: re.Pattern[str], notes: Notes) -> None:
        self._name = name
        self._pattern = pattern
        self._notes = notes
        self._groups = {number: group for group, number in pattern.groupindex.items()}

    def match(self, *place: Any) -> "WatchedMatch | None":
        return self._taken(self._pattern.match(*place))

    def search(self, *place: Any) -> "WatchedMatch | None":
        return self._taken(self._pattern.search(*place))

    def fullmatch(self, *place: Any) -> "WatchedMatch | None":
        return self._taken(self._pattern.fullmatch(*place))

    def finditer(self, *place: Any) -> Iterator["WatchedMatch"]:
        return filter(None, map(self._taken, self._pattern.finditer(*place)))

    def findall(self, *place: Any) -> list[Any]:
        found = list(self.finditer(*place))
        return [match[self._pattern.groups] if self._pattern.groups < 2 else match.groups("") for match in found]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def _taken(self, match: re.Match[str] | None) -> "WatchedMatch | None":
        if match is None:
            return None
        rules = {Rule(self._name)}
        for number in range(1, self._pattern.groups + 1):
            if match.start(number) >= 0:
                rules.add(Rule(self._name, self._groups.get(number, str(number))))
        if rules & self._notes.refused:
            return None
        self._notes.matched |= rules
        return WatchedMatch(match, self)


class WatchedMatch:
    """A match that says it is of the watched pattern."""

    def __init__(self, match: re.Match[str], pattern: WatchedPattern) -> None:
        self._match = match
        self.re = pattern

    def __getitem__(self, group: int | str) -> Any:
        return self._match[group]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._match, name)


@contextmanager
def watched() -> Iterator[Notes]:
    """All patterns of the reader are watched as long as this is open."""
    notes = Notes()
    known: dict[int, WatchedPattern] = {}
    before = [(module, dict(vars(module))) for module in _modules()]
    try:
        for module, names in before:
            for name, value in names.items():
                setattr(module, name, _watched(value, f"{module.__name__}.{name}", notes, known))
        yield notes
    finally:
        for module, names in before:
            vars(module).update(names)
        forget()


def forget() -> None:
    """Forget what the reader remembers of headers that it has read."""
    for module in _modules():
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(_PACKAGES)]


def _watched(value: Any, name: str, notes: Notes, known: dict[int, WatchedPattern]) -> Any:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str) and id(value) not in known:
            known[id(value)] = WatchedPattern(name, value, notes)
        return known.get(id(value), value)
    if type(value) is tuple:
        return tuple(_watched(part, name, notes, known) for part in value)
    return value

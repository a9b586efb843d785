"""A query as a tree: every query language is parsed to it, and the rest of `query` sees nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from app.query.fields import Named


@dataclass(frozen=True, slots=True)
class Everything:
    """Every row."""


@dataclass(frozen=True, slots=True)
class And:
    """Rows that all parts find: two parts at least, none of them an And."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Rows that any part finds: two parts at least, none of them an Or."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Exactly the rows that its part, which is no Not, does not find."""

    part: Node


@dataclass(frozen=True, slots=True)
class Words:
    """Rows whose message holds the text, in any case, and not as a piece of longer words.

    Where the text is open, its last word may go on.
    """

    text: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Equals:
    """Rows whose field is this value; of a level the lowercase word."""

    field: Named
    value: str | int | float


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Rows whose text field begins like this."""

    field: Named
    text: str


@dataclass(frozen=True, slots=True)
class Exists:
    """Rows that have the field: it is neither empty nor missing."""

    field: Named


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range: a number, nanoseconds of a time, or the name of a severity."""

    value: str | int | float
    is_included: bool


@dataclass(frozen=True, slots=True)
class Range:
    """Rows whose field lies between two bounds, of which one may be missing."""

    field: Named
    lower: Bound | None
    upper: Bound | None


Node: TypeAlias = Everything | And | Or | Not | Words | Equals | StartsWith | Exists | Range


@dataclass(frozen=True, slots=True)
class Hint:
    """Something in the text of a query that is allowed, but was probably meant otherwise."""

    position: int
    typed: str
    suggestion: str

    def __str__(self) -> str:
        return f"{self.typed} at {self.position}: was {self.suggestion} meant?"


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: its tree, and hints where something else may have been meant."""

    tree: Node
    hints: tuple[Hint, ...] = ()


def all_of(parts: Iterable[Node]) -> Node:
    """What all of them find."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: Iterable[Node]) -> Node:
    """What any of them finds."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def negation(part: Node) -> Node:
    """What it does not find."""
    return part.part if isinstance(part, Not) else Not(part)

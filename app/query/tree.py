"""A query as a tree. Every query language is parsed to it, and the rest of `query` knows nothing else of the query."""

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
    """Rows that all parts match: at least two parts, none of them an And."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Rows that any part matches: at least two parts, none of them an Or."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Exactly the rows that its part, which is not a Not, does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class Words:
    """Rows whose message contains the text in any case, at word boundaries.

    If `is_open`, the text may end within a word.
    """

    text: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Equals:
    """Rows whose field has this value; for a level the lowercase word."""

    field: Named
    value: str | int | float


@dataclass(frozen=True, slots=True)
class StartsWith:
    """Rows whose text field begins with the text."""

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
    """What may have been meant instead: a sentence, and the whole query for it ("" if there is none)."""

    message: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.message} Try: {self.query}" if self.query else self.message


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a query's text, from `start` on and before `end`, in characters from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """One term as it was typed: a word, or a value of a field."""

    value: Piece
    text: str
    """The value without escapes and quotes, and without the asterisk at its end."""
    is_quoted: bool = False
    is_open: bool = False
    field: Named | None = None
    name: Piece | None = None
    """The name of the field; values in parentheses share one."""
    is_equality: bool = True
    """Whether it is a value that the field must have, not the end of a range."""
    is_single: bool = True
    """Whether it is the only value of the field."""

    @property
    def whole(self) -> Piece:
        """The term with the name of its field, if it is the only value."""
        return Piece(self.name.start, self.value.end) if self.name and self.is_single else self.value


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: its tree, its text and terms, and hints on what may have been meant otherwise."""

    tree: Node
    hints: tuple[Hint, ...] = ()
    text: str = ""
    terms: tuple[Term, ...] = ()


def all_of(parts: Iterable[Node]) -> Node:
    """A node for the rows that all parts match."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: Iterable[Node]) -> Node:
    """A node for the rows that any part matches."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def negation(part: Node) -> Node:
    """A node for the rows that the part does not match."""
    return part.part if isinstance(part, Not) else Not(part)

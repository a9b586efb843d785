"""A query as a tree. Every query language is parsed to it, and the rest of `query` knows nothing else of the query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from app.query.fields import Named


class Everything(Struct, frozen=True):
    """Every row."""


class And(Struct, frozen=True):
    """Rows that all parts match: at least two parts, none of them an And."""

    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    """Rows that any part matches: at least two parts, none of them an Or."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """Exactly the rows that its part, which is not a Not, does not match."""

    part: Node


class Words(Struct, frozen=True):
    """Rows whose message contains the text in any case, at word boundaries.

    If `is_open`, the text may end within a word.
    """

    text: str
    is_open: bool = False


class Equals(Struct, frozen=True):
    """Rows whose field has this value; for a level the lowercase word."""

    field: Named
    value: str | int | float


class StartsWith(Struct, frozen=True):
    """Rows whose text field begins with the text."""

    field: Named
    text: str


class Exists(Struct, frozen=True):
    """Rows that have the field: it is neither empty nor missing."""

    field: Named


class Bound(Struct, frozen=True):
    """An end of a range: a number, nanoseconds of a time, or the name of a severity."""

    value: str | int | float
    is_included: bool


class Range(Struct, frozen=True):
    """Rows whose field lies between two bounds, of which one may be missing."""

    field: Named
    lower: Bound | None
    upper: Bound | None


Node: TypeAlias = Everything | And | Or | Not | Words | Equals | StartsWith | Exists | Range


class Hint(Struct, frozen=True):
    """What may have been meant instead: a sentence, and the whole query for it ("" if there is none)."""

    message: str
    query: str = ""

    def __str__(self) -> str:
        return f"{self.message} Try: {self.query}" if self.query else self.message


class Piece(Struct, frozen=True):
    """A part of a query's text, from `start` on and before `end`, in characters from 0."""

    start: int
    end: int


class Term(Struct, frozen=True):
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


class Query(Struct, frozen=True):
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

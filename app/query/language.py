"""Parses the text of a query to its tree, or raises an error that says where and what is wrong."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lark import Token

from app.domain.columns import Kind
from app.query import values
from app.query.errors import QueryError
from app.query.fields import Attribute, Named, field_meant_by, named, nearest
from app.query.syntax import Syntax, start_of, syntax_tree
from app.query.tree import (
    Bound,
    Equals,
    Everything,
    Exists,
    Hint,
    Node,
    Query,
    Range,
    StartsWith,
    Words,
    all_of,
    any_of,
    negation,
)
from app.query.words import lowered, words_of

MAX_BYTES: Final = 8192
MAX_TERMS: Final = 256

_OPERATORS: Final = {"and": "AND", "or": "OR", "not": "NOT"}


@functools.lru_cache(maxsize=128)  # a page sends the same query many times
def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QueryError: it cannot be parsed.
    """
    _check_text(text)
    reader = _Reader(text)
    return Query(reader.node(syntax_tree(text)), tuple(reader.hints))


def _check_text(text: str) -> None:
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError as error:
        raise QueryError("The query contains a lone surrogate.", text=text, position=error.start) from None
    if size_bytes > MAX_BYTES:
        reason = f"A query may have at most {MAX_BYTES} bytes; this one has {size_bytes}."
        raise QueryError(reason, text=text, position=0)


@dataclass(frozen=True, slots=True)
class _Text:
    """A token without its escapes; open if an asterisk ends it."""

    text: str
    is_open: bool
    is_quoted: bool
    position: int


class _Reader:
    """Converts the syntax tree of one query to a `Node`, and collects hints."""

    def __init__(self, text: str) -> None:
        self.hints: list[Hint] = []
        self._text = text
        self._terms = 0

    def node(self, tree: Syntax, field: Named | None = None) -> Node:
        """The node of a term, or of the value after the colon of `field`."""
        is_negated = False
        while tree.data == "negated":  # there may be thousands
            is_negated = not is_negated
            _, tree = tree.children
        node = self._positive(tree, field)
        return negation(node) if is_negated else node

    def _positive(self, tree: Syntax, field: Named | None) -> Node:
        match tree.data:
            case "either" | "either_value":
                return any_of(self._nodes(tree, field))
            case "both" | "both_values":
                return all_of(self._nodes(tree, field))
            case "field":
                name, value = tree.children
                return self.node(value, self._field(name))
            case "everything":
                return Everything()
        return self._term(tree, field)

    def _nodes(self, tree: Syntax, field: Named | None) -> Iterator[Node]:
        return (self.node(part, field) for part in tree.children)

    def _term(self, tree: Syntax, field: Named | None) -> Node:
        self._terms += 1
        if self._terms > MAX_TERMS:
            first = next(tree.scan_values(lambda child: isinstance(child, Token)))
            raise self._error(f"A query may have at most {MAX_TERMS} terms.", start_of(first))
        if field is None:
            return self._free(tree.children[0])
        if tree.data == "equal":
            return self._equal(field, self._read(tree.children[0]))
        if tree.data == "comparison":
            return self._comparison(field, *tree.children)
        return self._range(field, *tree.children)

    def _free(self, token: Token) -> Node:
        text = self._read(token)
        if text.is_open and not text.text:
            return Everything()
        if not text.is_quoted and (operator := _OPERATORS.get(text.text)):
            self.hints.append(Hint(text.position, text.text, operator))
        return self._words(text)

    def _words(self, text: _Text) -> Node:
        if not text.text:
            raise self._error("These quotes are empty.", text.position)
        if not text.is_quoted and not words_of(text.text):
            reason = f"{text.text} has no letter or digit, so it is not a word."
            raise self._error(reason, text.position, suggestion=f'"{text.text}" in quotes')
        return Words(text.text, text.is_open)

    def _field(self, token: Token) -> Named:
        name = self._read(token)
        if name.is_open:
            reason = f"A field name cannot contain an asterisk; write {name.text}\\* for the character itself."
            raise self._error(reason, name.position)
        field = named(name.text)
        if isinstance(field, Attribute):
            if not field.key:
                raise self._error(f"{name.text} needs the name of an attribute.", name.position)
            if meant := field_meant_by(field.name):
                self.hints.append(Hint(name.position, name.text, meant))
        return field

    def _equal(self, field: Named, text: _Text) -> Node:
        if text.is_open and not text.text:
            return Exists(field)
        if not text.text and field.kind in (Kind.WORDS, Kind.TEXT, Kind.LEVEL):
            return negation(Exists(field))
        match field.kind:
            case Kind.WORDS:
                return self._words(text)
            case Kind.TEXT:
                return StartsWith(field, text.text) if text.is_open else Equals(field, text.text)
            case Kind.LEVEL:
                return self._level(field, text)
            case Kind.TIME:
                typed = self._typed(text)
                reason = f"{field.name} is a time, which can only be compared or searched by range."
                raise self._error(reason, text.position, suggestion=f"{field.name}:>={typed}")
            case _:
                return Equals(field, self._orderable(field, text))

    def _level(self, field: Named, text: _Text) -> Node:
        if text.is_open:
            return StartsWith(field, lowered(text.text))
        level = values.level_of(text.text)
        if level not in values.LEVELS and (meant := nearest(level, values.LEVELS)):
            self.hints.append(Hint(text.position, text.text, meant))
        return Equals(field, level)

    def _comparison(self, field: Named, sign: Token, token: Token) -> Node:
        bound = Bound(self._orderable(field, self._read(token)), is_included=sign.endswith("="))
        return Range(field, bound, None) if sign.startswith(">") else Range(field, None, bound)

    def _range(self, field: Named, opening: Token, first: Token, last: Token, closing: Token) -> Node:
        lower = self._bound(field, first, is_included=opening == "[")
        upper = self._bound(field, last, is_included=closing == "]")
        return Exists(field) if lower is None and upper is None else Range(field, lower, upper)

    def _bound(self, field: Named, token: Token, *, is_included: bool) -> Bound | None:
        text = self._read(token)
        if text.is_open and not text.text:
            return None
        return Bound(self._orderable(field, text), is_included)

    def _orderable(self, field: Named, text: _Text) -> str | int | float:
        if field.kind is Kind.WORDS:
            raise self._error(f"{field.name} is searched by its words and cannot be compared.", text.position)
        expected = values.EXPECTED[field.kind]
        try:
            if not text.is_open:
                return values.orderable(field.kind, text.text)
        except ValueError:
            pass
        typed = self._typed(text)
        if isinstance(field, Attribute):
            reason = f"{field.name} is an attribute, which is compared as a number; {typed} is not a number."
        elif field.kind is Kind.TEXT:
            reason = f"{field.name} is compared as a number; {typed} is not a number."
        else:
            reason = f"{typed} is not a valid {field.kind.value} for {field.name}."
        suggestion = nearest(text.text, values.LEVELS) if field.kind is Kind.LEVEL else field_meant_by(field.name)
        raise self._error(reason, text.position, expected, "" if suggestion == field.name else suggestion)

    def _read(self, token: Token) -> _Text:
        """Take the escapes out of a token.

        Raises:
            QueryError: a backslash before a letter or digit, or an asterisk anywhere but at the end.
        """
        start, is_quoted = start_of(token), token.type == "QUOTED"
        raw = str(token)
        is_open = is_quoted and raw.endswith("*")
        if is_quoted:
            raw, start = raw[1:].removesuffix("*").removesuffix('"'), start + 1
        characters: list[str] = []
        at = 0
        while at < len(raw):
            character = raw[at]
            if character == "\\":
                characters.append(self._escaped(raw, at, start))
                at += 2
                continue
            if character == "*" and not is_quoted:
                if at + 1 < len(raw):
                    raise self._error(
                        "An asterisk is only allowed at the end of a word; write \\* for the character itself.",
                        start + at,
                    )
                is_open = True
            else:
                characters.append(character)
            at += 1
        return _Text("".join(characters), is_open, is_quoted, start_of(token))

    def _escaped(self, raw: str, at: int, start: int) -> str:
        character = raw[at + 1 : at + 2]
        if not character or character.isalnum():
            reason = "A backslash escapes the special character after it"
            reason += f"; {character} is not special." if character else "; nothing follows here."
            raise self._error(reason, start + at, suggestion=f"\\\\{character} for the backslash itself")
        return character

    def _typed(self, text: _Text) -> str:
        return f"{text.text}{'*' if text.is_open else ''}" or '""'

    def _error(self, reason: str, position: int, expected: tuple[str, ...] = (), suggestion: str = "") -> QueryError:
        return QueryError(reason, text=self._text, position=position, expected=expected, suggestion=suggestion)

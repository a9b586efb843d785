"""Parses the text of a query to its tree, or raises an error that says where and what is wrong."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from lark import Token
from msgspec import Struct
from msgspec.structs import replace

from app.domain.columns import Kind
from app.query import values
from app.query.assignment import Assignment
from app.query.corrections import corrections, with_last_asterisk
from app.query.errors import QueryError
from app.query.fields import Attribute, Named, field_meant_by, named, nearest
from app.query.other_languages import in_this_language, regular
from app.query.syntax import Syntax, start_of, syntax_tree
from app.query.tree import (
    Bound,
    Equals,
    Everything,
    Exists,
    Hint,
    Node,
    Piece,
    Query,
    Range,
    StartsWith,
    Term,
    Words,
    all_of,
    any_of,
    negation,
)
from app.query.words import lowered, quoted, words_of

MAX_BYTES: Final = 8192
MAX_TERMS: Final = 256
_MAX_HINTS: Final = 8

_OPERATORS: Final = {"and": "AND", "or": "OR", "not": "NOT"}
_SIGNS: Final = frozenset({"=", "==", "!=", "<", ">", "<=", ">="})


@functools.lru_cache(maxsize=128)  # a page sends the same query many times
def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QueryError: it cannot be parsed.
    """
    _check_text(text)
    if found := in_this_language(text, _is_valid):
        position, hint = found
        raise QueryError(hint.message, text=text, position=position, suggestion=hint.query, hints=(hint,))
    reader = _Reader(text)
    try:
        tree = reader.node(syntax_tree(text))
    except QueryError as error:
        error.hints = tuple(corrections(text, error, _is_valid))
        raise
    hints = (hint if _is_valid(hint.query) else Hint(hint.message) for hint in reader.hints[:_MAX_HINTS])
    return Query(tree, tuple(hints), text, tuple(reader.terms))


def _is_valid(text: str) -> bool:
    try:
        _Reader(text).node(syntax_tree(text))
    except QueryError:
        return False
    return True


def _check_text(text: str) -> None:
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError as error:
        raise QueryError("The query contains a lone surrogate.", text=text, position=error.start) from None
    if size_bytes > MAX_BYTES:
        reason = f"A query may have at most {MAX_BYTES} bytes; this one has {size_bytes}."
        raise QueryError(reason, text=text, position=0)


class _Text(Struct, frozen=True):
    """A token without its escapes; open if an asterisk ends it."""

    text: str
    is_open: bool
    is_quoted: bool
    position: int
    end: int


class _Name(Struct, frozen=True):
    """The field before a colon, and where its name was typed."""

    field: Named
    typed: Piece
    is_single: bool


# Lucene's names for "has this field": the value is the name of a field.
_EXISTS: Final = Attribute("_exists_")
_MISSING: Final = Attribute("_missing_")


class _Reader:
    """Converts the syntax tree of one query to a `Node`, and collects hints."""

    def __init__(self, text: str) -> None:
        self.hints: list[Hint] = []
        self.terms: list[Term] = []
        self._text = text
        self._terms = 0

    def node(self, tree: Syntax, name: _Name | None = None) -> Node:
        """The node of a term, or of the value after the colon of a field."""
        is_negated = False
        while tree.data == "negated":  # there may be thousands
            is_negated = not is_negated
            _, tree = tree.children
        node = self._positive(tree, name)
        return negation(node) if is_negated else node

    def _positive(self, tree: Syntax, name: _Name | None) -> Node:
        match tree.data:
            case "either" | "either_value":
                return any_of(self._nodes(tree, name))
            case "both" | "both_values":
                return all_of(self._nodes(tree, name))
            case "field":
                token, value = tree.children
                if [token, *value.children] == ["*", "*"]:  # Lucene's name for everything
                    return Everything()
                piece = Piece(start_of(token), start_of(token) + len(token))
                return self.node(value, _Name(self._field(token), piece, value.data == "equal"))
            case "everything":
                return Everything()
        return self._term(tree, name)

    def _nodes(self, tree: Syntax, name: _Name | None) -> Iterator[Node]:
        return (self.node(part, name) for part in tree.children)

    def _term(self, tree: Syntax, name: _Name | None) -> Node:
        self._count(next(tree.scan_values(lambda child: isinstance(child, Token))))
        if tree.data == "assigned":
            return self._assigned(tree.children[0])
        if name is None:
            return self._free(tree.children[0])
        if tree.data == "equal":
            return self._named(name, tree.children[0])
        for token in tree.children:
            if token.type in ("VALUE", "BOUND", "QUOTED"):
                self._note(self._read(token), name, is_equality=False)
        if tree.data == "comparison":
            return self._comparison(name.field, *tree.children)
        return self._range(name.field, *tree.children)

    def _count(self, token: Token) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise self._error(f"A query may have at most {MAX_TERMS} terms.", start_of(token))

    def _note(self, text: _Text, name: _Name | None = None, *, is_equality: bool = True) -> None:
        """Remember a term as it was typed."""
        field, typed, is_single = (name.field, name.typed, name.is_single) if name else (None, None, True)
        value = Piece(text.position, text.end)
        self.terms.append(Term(value, text.text, text.is_quoted, text.is_open, field, typed, is_equality, is_single))

    def _assigned(self, token: Token) -> Node:
        """`level=error`: a condition, or else the words that it looks like."""
        typed, start = Assignment.read(token), start_of(token)
        value = Token("QUOTED" if typed.value.startswith('"') else "VALUE", typed.value, start + typed.value_at)
        if not typed.is_meant:
            head = token[: typed.value_at]
            if head.rstrip() == head and value.type == "VALUE":
                return self._free(Token("WORD", str(token), start))
            parts = [Token("WORD", found[0], start + found.start()) for found in re.finditer(r"\S+", head)]
            return all_of([self._free(part) for part in [*parts, value]])
        if typed.is_regular:
            reason = f"{typed.operator} is not an operator: there are no regular expressions."
            meant = regular(typed.name, typed.value.strip('"'))
            meant = f"-{meant}" if typed.is_negated else meant
            raise self._error(reason, start, suggestion=meant, correction=(start, start + len(token), meant))
        name = _Name(self._field(Token("WORD", typed.name, start)), Piece(start, start + len(typed.name)), True)
        if typed.sign:
            self._note(self._read(value), name, is_equality=False)
            return self._comparison(name.field, Token("COMPARISON", typed.sign, start), value)
        node = negation(Exists(name.field)) if typed.value in ("null", "NULL") else self._named(name, value)
        return negation(node) if typed.is_negated else node

    def _named(self, name: _Name, token: Token) -> Node:
        """The node for a value that a field must have."""
        text = self._read(token)
        if name.field == _EXISTS:
            return Exists(named(text.text))
        if name.field == _MISSING:
            return negation(Exists(named(text.text)))
        self._note(text, name)
        parts = values.listed(name.field.kind, text.text) if not text.is_quoted else []
        for _ in parts[1:]:
            self._count(token)
        if parts:
            return any_of([self._equal(name.field, replace(text, text=part)) for part in parts])
        return self._equal(name.field, text)

    def _free(self, token: Token) -> Node:
        text = self._read(token)
        if text.is_open and not text.text:
            return Everything()
        self._note(text)
        if not text.is_quoted and (operator := _OPERATORS.get(text.text)):
            self._hint(text.position, text.end, text.text, operator)
        return self._words(text)

    def _hint(self, start: int, end: int, typed: str, meant: str) -> None:
        message = f"{typed} at {start}: was {meant} meant?"
        self.hints.append(Hint(message, f"{self._text[:start]}{meant}{self._text[end:]}"))

    def _words(self, text: _Text) -> Node:
        if not text.text:
            raise self._error("These quotes are empty.", text.position)
        if not text.is_quoted and not words_of(text.text):
            if text.text in _SIGNS:
                reason = f"{text.text} needs a field before it and a value after it, such as level{text.text}error."
                is_like_text = bool(self._text[text.end :].strip())  # `5 > 3`, but not the unfinished `level =`
                raise self._error(reason, text.position, is_like_text=is_like_text)
            reason = f"{text.text} has no letter or digit, so it is not a word."
            suggestion = f"{quoted(text.text)} in quotes"
            raise self._error(reason, text.position, suggestion=suggestion, is_like_text=True)
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
                self._hint(name.position, name.end, name.text, meant)
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
                if text.is_open:
                    return StartsWith(field, text.text)
                return Equals(field, values.as_stored(field, text.text))
            case Kind.LEVEL:
                return self._level(field, text)
            case Kind.TIME:
                self._orderable(field, text)
                reason = f"{field.name} is a time, which can only be compared or searched by range."
                typed = quoted(text.text) if text.is_quoted else text.text
                # In timestamp=2026-11-23, the comparison takes the place of the equals sign.
                before = self._text[: text.position].rstrip("= ")
                correction = (len(before), text.end, "" if before.endswith(("!", "<>")) else f">={typed}")
                raise self._error(reason, text.position, suggestion=f"{field.name}:>={typed}", correction=correction)
            case _:
                return Equals(field, self._orderable(field, text))

    def _level(self, field: Named, text: _Text) -> Node:
        if text.is_open:
            return StartsWith(field, lowered(text.text))
        level = values.level_of(text.text)
        if level not in values.LEVELS and level.isalnum() and (meant := nearest(level, values.LEVELS)):
            self._hint(text.position, text.end, text.text, meant)
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
        if field.kind is Kind.TIME and text.text.startswith("now"):
            reason = f"{typed} is a relative time, which belongs in the time range: start={typed}."
            raise self._error(reason, text.position, expected)
        if isinstance(field, Attribute):
            reason = f"{field.name} is an attribute, which is compared as a number; {typed} is not a number."
        elif field.kind is Kind.TEXT:
            reason = f"{field.name} is compared as a number; {typed} is not a number."
        else:
            reason = f"{typed} is not a valid {field.kind.value} for {field.name}."
        suggestion = values.in_ms(text.text) if field.kind is Kind.NUMBER else field_meant_by(field.name)
        if field.kind is Kind.LEVEL:
            suggestion = values.level_of_number(text.text) or nearest(text.text, values.LEVELS)
        # A space after the colon: a pasted message, such as `time: 5 ms`.
        is_like_text = self._text[: text.position].rstrip(" ").endswith(":") and self._text[text.position - 1] == " "
        suggestion = "" if suggestion in (field.name, text.text) else suggestion
        correction = (text.position, text.end, suggestion)
        raise self._error(reason, text.position, expected, suggestion, is_like_text=is_like_text, correction=correction)

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
                        suggestion=(meant := with_last_asterisk(raw)),
                        correction=(start_of(token), start_of(token) + len(token), meant),
                    )
                is_open = True
            else:
                characters.append(character)
            at += 1
        end = start_of(token) + len(token)
        return _Text("".join(characters), is_open, is_quoted, start_of(token), end)

    def _escaped(self, raw: str, at: int, start: int) -> str:
        character = raw[at + 1 : at + 2]
        if not character or character.isalnum():
            reason = "A backslash escapes the special character after it"
            reason += f"; {character} is not special." if character else "; nothing follows here."
            suggestion = f"\\\\{character} for the backslash itself"
            raise self._error(reason, start + at, suggestion=suggestion, is_like_text=True)
        return character

    def _typed(self, text: _Text) -> str:
        return f"{text.text}{'*' if text.is_open else ''}" or '""'

    def _error(
        self,
        reason: str,
        position: int,
        expected: tuple[str, ...] = (),
        suggestion: str = "",
        *,
        is_like_text: bool = False,
        correction: tuple[int, int, str] | None = None,
    ) -> QueryError:
        error = QueryError(reason, text=self._text, position=position, expected=expected, suggestion=suggestion)
        error.is_like_text, error.correction = is_like_text, correction
        return error

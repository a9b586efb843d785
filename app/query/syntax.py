"""Parses the text of a query to lark's tree, by grammar.lark, or raises an error that says where it fails."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, Final, TypeAlias

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from app.query.errors import QueryError

# The reader of the tree recurses a few frames per parenthesis; this depth stays far from Python's recursion limit.
MAX_DEPTH: Final = 32

# The grammar's names in plain English, in the order in which an error lists them.
_EXPECTED: Final = {
    "WORD": "a word",
    "VALUE": "a value",
    "BOUND": "a value",
    "QUOTED": 'text in "quotes"',
    "COMPARISON": "a comparison such as >=5",
    "OPEN": "a range such as [1 TO 5]",
    "_TO": "TO",
    "CLOSE": "] or }",
    "_COLON": "a colon",
    "_LPAR": "(",
    "_RPAR": ")",
    "_AND": "AND",
    "_OR": "OR",
    "NOT": "NOT",
}
# The text at an error's position, as its message quotes it.
_FOUND: Final = re.compile(r'\s*([():"\[\]{}]|[^\s():"\]}]{1,40})')
Syntax: TypeAlias = Any  # lark's tree: its children are trees or tokens, as grammar.lark says


@functools.cache
def _parser() -> Lark:
    return Lark(Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"), parser="lalr")


def syntax_tree(text: str) -> Syntax:
    """The syntax tree of a query.

    Raises:
        QueryError: the text does not follow the grammar.
    """
    parser = _parser().parse_interactive(text)
    open_at: list[int] = []
    try:
        for token in parser.iter_parse():
            if token.type == "_LPAR":
                open_at.append(start_of(token))
                if len(open_at) > MAX_DEPTH:
                    raise QueryError(
                        f"Parentheses may be nested at most {MAX_DEPTH} deep.", text=text, position=start_of(token)
                    )
            elif token.type == "_RPAR" and open_at:  # if none is open, the parser fails after this token
                open_at.pop()
        return parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else start_of(error.token)
        raise _syntax_error(text, position, parser, open_at) from None
    except UnexpectedCharacters as error:
        raise _syntax_error(text, error.pos_in_stream or 0, parser, open_at) from None


def _syntax_error(text: str, position: int, parser: InteractiveParser, open_at: list[int]) -> QueryError:
    error = _explained(text, position, parser, open_at)
    error.is_like_text = True
    return error


def _explained(text: str, position: int, parser: InteractiveParser, open_at: list[int]) -> QueryError:
    accepted: set[str] = parser.accepts()  # type: ignore[no-untyped-call]
    expected = tuple(dict.fromkeys(name for symbol, name in _EXPECTED.items() if symbol in accepted))
    found = _FOUND.match(text, position)
    if found is None:
        if "_RPAR" in accepted:
            return QueryError("This parenthesis is not closed.", text=text, position=open_at[-1], expected=(")",))
        return QueryError("The query ends too early.", text=text, position=position, expected=expected)
    if found[1] == '"' and "QUOTED" in accepted:
        return QueryError("The quotes that begin here are not closed.", text=text, position=position)
    if found[1] == ")" and not open_at:
        return QueryError("This parenthesis was never opened.", text=text, position=position)
    reason = f"{found[1]} is not allowed here."
    if {"_TO", "CLOSE"} & accepted:
        reason += " A range is written [1 TO 5] or {1 TO 5}; text that begins with a bracket goes in quotes."
    return QueryError(reason, text=text, position=position, expected=expected)


def start_of(token: Token) -> int:
    """Where a token begins in the text, in characters from 0."""
    assert token.start_pos is not None  # only tokens that were not read from text have none
    return token.start_pos

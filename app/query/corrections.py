"""Queries that were probably meant by one that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from app.query.errors import QueryError
from app.query.term_fixes import applied, fixes_of_text
from app.query.tree import Hint
from app.query.words import quoted, words_of

_UNFINISHED: Final = re.compile(r"(.*?\S)(?:\s+(?:AND|OR|NOT|&&|\|\|))+\s*", re.DOTALL)
_IN_SLASHES: Final = re.compile(r"/(.*\.\*.*)/")
_GROUP: Final = re.compile(r"(?:^|[\s:(])\(")
_LOWERCASE_TO: Final = re.compile(r"([\[{]\s*[^\s\[\]{}]+\s+)to(\s+[^\s\[\]{}]+\s*[\]}])", re.IGNORECASE)


def corrections(text: str, error: QueryError, is_valid: Callable[[str], bool]) -> Iterator[Hint]:
    """Valid queries that were probably meant by one that has an error."""
    if error.correction:
        start, end, meant = error.correction
        if meant and is_valid(query := f"{text[:start]}{meant}{text[end:]}"):
            yield Hint(f"Was {meant} meant?", query)
    if not error.is_like_text:
        return
    lists = [hint for fix in islice(fixes_of_text(text), 4) if is_valid((hint := applied(text, [fix])).query)]
    lists += [hint for hint in _completed(text, error.position) if is_valid(hint.query)]
    yield from lists or _text_in_quotes(text, error.position, is_valid)


def _completed(text: str, position: int) -> Iterator[Hint]:
    """Queries for one that was left unfinished, or whose range has a lowercase `to`."""
    if found := _UNFINISHED.fullmatch(text):
        yield Hint("Something must follow the last operator.", found[1])
    if _GROUP.match(text, max(position - 1, 0)):
        missing = text.count("(") - text.count(")")
        yield Hint("A parenthesis is not closed.", f"{text}{')' * missing}")
    if (ranges := _LOWERCASE_TO.sub(r"\1TO\2", text)) != text:
        yield Hint("TO is written in capitals.", ranges)


def _text_in_quotes(text: str, position: int, is_valid: Callable[[str], bool]) -> Iterator[Hint]:
    """A query for the text around an error, or for all of it, if that makes the query valid."""
    if text[position : position + 1] == '"' and is_valid(closed := f'{text}"'):
        yield Hint("The quotes are not closed.", closed)
        return
    start = max(text.rfind(space, 0, position) for space in " \t\n") + 1
    end = next((at for at in range(max(position, start), len(text)) if text[at].isspace()), len(text))
    for first, last in ((start, end), (0, len(text))):
        query = f"{text[:first]}{quoted(text[first:last].strip())}{text[last:]}"
        if words_of(text[first:last]) and is_valid(query):
            yield Hint("Text is searched for as it is if it is in quotes.", query)
            return


def with_last_asterisk(word: str) -> str:
    """The beginning of a word with asterisks elsewhere, "" if there is none."""
    inner = _IN_SLASHES.fullmatch(word)
    if inner or word.startswith((".*", "^")):  # a regular expression
        word = (inner[1] if inner else word).removeprefix("^").replace(".*", "*")
    beginning = word.strip("*").partition("*")[0]
    return f"{beginning}*" if words_of(beginning) and "\\" not in word else ""

"""Recognises queries of LogQL and of languages with pipes, and writes the filters among them in this one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from app.query.tree import Hint
from app.query.words import as_value, quoted

_STRING: Final = r'"(?:[^"\\]|\\.)*"|`[^`]*`'
_SELECTOR: Final = re.compile(rf"(?:\s*\w+\s*\()*\s*\{{((?:[^{{}}\"`]|{_STRING})*)\}}(.*)", re.DOTALL)
_SQL: Final = re.compile(
    r"\s*select\s.*?\sfrom\s+\S+(?:\s+where\s(.*?))?\s*(?:\bgroup\s+by\s.*|\border\s+by\s.*|\blimit\s.*|;\s*)?$",
    re.IGNORECASE | re.DOTALL,
)
_MATCHER: Final = re.compile(rf"\s*([\w.]+)\s*(=~|!~|!=|=)\s*({_STRING})\s*", re.DOTALL)
# A pipe that begins a stage. In a message it may stand within words, and || is OR.
_PIPE: Final = re.compile(
    r"(?:^|(?<=[\s})\"*]))\|(?!\|)(?=\s|$|=|~|>|(?:stats|where|filter|search|json|logfmt|line_format|label_format|sort|"
    r"limit|fields|head|top|count|rex|eval|timechart|project|summarize|uniq|dedup|parse|extract|pattern|table)\b)"
)
_LINE_FILTER: Final = re.compile(rf"(\|=|!=|\|~|!~)\s*({_STRING})", re.DOTALL)
_CONDITION: Final = re.compile(r"(?:where|filter|search)\s+(.+)", re.DOTALL)
_QUOTED: Final = re.compile(_STRING, re.DOTALL)
_ENDS: Final = re.compile(r"^\^|\$$")
_PLAIN: Final = re.compile(r"[\w./: @-]+(?:\|[\w./: @-]+)*")


def in_this_language(text: str, is_valid: Callable[[str], bool]) -> tuple[int, Hint] | None:
    """Where a query stops to be one of this language, and a hint with its filters; None if it is one of no other."""
    if (found := _SELECTOR.fullmatch(text)) and (terms := _selected(found[1])):
        terms += _line_filters(found[2])
        return 0, _hint(
            "A selector in braces is LogQL; here a field and its value are joined by a colon.", terms, is_valid
        )
    if found := _SQL.match(text):
        where = re.sub(r"'([^']*)'", r'"\1"', found[1] or "")
        where = re.sub(r"\b(?:and|or|not)\b", lambda word: word[0].upper(), where, flags=re.IGNORECASE)
        return 0, _hint("This is SQL; here a query only filters.", [where.strip()], is_valid)
    if (position := _first_pipe(text)) is None:
        return None
    terms = [text[:position].strip(), *_line_filters(text[position:])]
    terms += [found[1].strip() for stage in _PIPE.split(text[position:]) if (found := _CONDITION.match(stage.strip()))]
    reason = (
        "A query only filters, so nothing can follow a pipe; /stats aggregates, with the parameters function, field"
        " and by, and text with a pipe goes in quotes."
    )
    return position, _hint(reason, [term for term in terms if term], is_valid)


def regular(name: str, expression: str) -> str:
    """A condition for the simple regular expressions: a text, its beginning, and alternatives of both."""
    parts = [_without_ends(part) for part in _without_ends(expression).removeprefix("(").removesuffix(")").split("|")]
    values = [f"{as_value(part[:-2])}*" if part.endswith((".*", ".+")) else as_value(part) for part in parts]
    return f"{name}:{values[0]}" if len(values) == 1 else f"{name}:({' OR '.join(values)})"


def _hint(message: str, terms: list[str], is_valid: Callable[[str], bool]) -> Hint:
    """The hint with all terms, or with the first one, if that makes a valid query."""
    queries = (" ".join(terms), *terms[:1])
    return Hint(message, next((query for query in queries if query and is_valid(query)), ""))


def _first_pipe(text: str) -> int | None:
    strings = [found.span() for found in _QUOTED.finditer(text)]
    pipes = (found.start() for found in _PIPE.finditer(text))
    return next((at for at in pipes if not any(start < at < end for start, end in strings)), None)


def _selected(matchers: str) -> list[str]:
    """The conditions of a LogQL selector; empty if it is none."""
    terms, at = [], 0
    while found := _MATCHER.match(matchers, at):
        name, operator, value = found[1], found[2], _unquoted(found[3])
        term = regular(name, value) if operator.endswith("~") else f"{name}:{as_value(value)}"
        terms.append(f"-{term}" if operator.startswith("!") else term)
        at = found.end()
        if matchers[at : at + 1] != ",":
            break
        at += 1
    return terms if not matchers[at:].strip() else []


def _line_filters(text: str) -> Iterator[str]:
    """The texts that LogQL's line filters look for."""
    for found in _LINE_FILTER.finditer(text):
        sign, value = found[1], _without_ends(_unquoted(found[2]))
        if sign.endswith("~") and not _PLAIN.fullmatch(value):
            continue
        texts = [quoted(part) for part in (value.split("|") if sign.endswith("~") else [value])]
        term = texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"
        yield f"-{term}" if sign.startswith("!") else term


def _unquoted(string: str) -> str:
    return string[1:-1] if string.startswith("`") else re.sub(r"\\(.)", r"\1", string[1:-1])


def _without_ends(expression: str) -> str:
    return _ENDS.sub("", expression)

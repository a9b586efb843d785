"""Hints for a search that found nothing: what its text may have meant, from a look at the newest logs of its range."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from app.domain.columns import Kind
from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.condition import Condition
from app.query.errors import QueryError
from app.query.expressions import Expressions
from app.query.fields import FIELDS, Attribute
from app.query.language import parse
from app.query.log_table import Select
from app.query.term_fixes import (
    Fix,
    applied,
    as_condition,
    as_list,
    as_presence,
    as_text,
    assigned,
    fixes_of,
    fixes_of_text,
    in_other_case,
    is_known,
    is_spaced,
    names_like,
    under_other_name,
    with_colon,
)
from app.query.time_range import TimeRange
from app.query.tree import Everything, Hint, Query, Term
from app.query.windowed_scan import Scans
from app.query.words import quoted

_ENOUGH_ROWS: Final = 50_000
_MOST_SECS: Final = 2.0
_MOST_VALUES: Final = 8  # looked up in other case
_MOST_HINTS: Final = 5
_MOST_TRIED: Final = 20  # each is parsed
_OPERATOR: Final = re.compile(r"(?:^|\s)(?:AND|OR|NOT|&&|\|\||[-!]\S+)(?=\s|$)|\"")
_COLUMNS: Final = ("host", *(field.name for field in FIELDS if not field.name.startswith("_")))


class _Seen(Struct, frozen=True):
    """What the newest logs have: the names of fields, and by number of a term the values that differ only in case."""

    names: tuple[str, ...]
    values: Mapping[int, Sequence[str]]
    is_empty: bool


class SecondLook:
    """Finds out what a query that found nothing may have meant. Shared by threads."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._table = scans.table

    def hints(self, query: Query, span: TimeRange, *, timeout_secs: float) -> list[Hint]:
        """Hints with a query each, the most probable first. Logs are read for at most two seconds.

        Without the logs, if they cannot be read in this time, there are only the hints that the text itself gives.
        """
        if not query.terms:
            return []
        try:
            seen = self._seen(query, span, min(timeout_secs, _MOST_SECS))
        except (QueryTooExpensive, TryAgainLater, Refused):
            seen = None
        if seen and seen.is_empty:
            return [Hint("There are no logs at all in this time range.")]
        by_term = [list(_fixes(query, at, seen)) for at in range(len(query.terms))]
        firsts = [fixes[0] for fixes in by_term if fixes]
        hints = [applied(query.text, [fix]) for fix in fixes_of_text(query.text)]
        hints += [applied(query.text, firsts)] if len(firsts) > 1 else []
        hints += [applied(query.text, [fix]) for fixes in by_term for fix in fixes]
        if seen and _is_pasted(query, frozenset(seen.names)):
            hints.insert(1, Hint("Text is searched for as it is if it is in quotes.", quoted(query.text.strip())))
        of_query: dict[str, Hint] = {}
        for hint in hints[:_MOST_TRIED]:
            if hint.query.strip() not in ("", query.text.strip()) and _is_valid(hint.query):
                of_query.setdefault(hint.query, hint)
        return list(of_query.values())[:_MOST_HINTS]

    def _seen(self, query: Query, span: TimeRange, timeout_secs: float) -> _Seen:
        everything = self._table.condition(Everything())
        scan = self._scans.begin(self._scans.deadline(timeout_secs), _ENOUGH_ROWS)
        windows = self._scans.newest_windows(scan, span, everything)
        wanted = list(islice(_compared(query), _MOST_VALUES))
        names: dict[str, None] = dict.fromkeys(_COLUMNS)
        values: dict[int, dict[str, None]] = {at: {} for at, _ in wanted}
        select = _select(wanted, everything)
        for result in scan.results(windows, lambda window, _: select(window.span), lambda result: result.rows[0][0]):
            [(_, of_log, of_resource, *found)] = result.rows
            names |= dict.fromkeys([*sorted(of_log), *(f"resource.{key}" for key in sorted(of_resource))])
            for (at, _), texts in zip(wanted, found, strict=True):
                values[at] |= dict.fromkeys(sorted(texts))
        return _Seen(tuple(names), {at: list(texts) for at, texts in values.items()}, scan.found_rows == 0)


def _is_pasted(query: Query, existing: frozenset[str]) -> bool:
    """Whether the query has no field that exists and no operator, but a colon that was misread."""
    misread = [term for term in query.terms if term.field is not None]
    is_text = not any(is_known(term, existing) for term in misread) and not _OPERATOR.search(query.text)
    return is_text and bool(misread) and len(query.terms) > 1


def _is_valid(text: str) -> bool:
    try:
        parse(text)
    except QueryError:
        return False
    return True


def _compared(query: Query) -> Iterator[tuple[int, Term]]:
    """The terms, with their numbers, whose value must be that of a text field."""
    for at, term in enumerate(query.terms):
        if term.field is not None and term.field.kind is Kind.TEXT and term.is_equality and term.text:
            yield at, term


def _select(wanted: Sequence[tuple[int, Term]], everything: Condition) -> Callable[[TimeRange], Select]:
    expressions = Expressions("look")
    values = []
    for _, term in wanted:
        assert term.field is not None
        text, typed = expressions.text(term.field.name), expressions.bound(term.text)
        same = f"startsWith(lowerUTF8({text}), lowerUTF8({typed}))" if term.is_open else ""
        values.append(f"groupUniqArrayIf(3)({text}, {same or f'lowerUTF8({text}) = lowerUTF8({typed})'})")
    keys = [f"groupUniqArrayArray(mapKeys({column}))" for column in ("LogAttributes", "ResourceAttributes")]

    def select(span: TimeRange) -> Select:
        parameters = {**everything.parameters, **expressions.parameters}
        return Select(", ".join(["count()", *keys, *values]), [span.condition, everything.sql], "", parameters)

    return select


def _fixes(query: Query, at: int, seen: _Seen | None) -> Iterator[Fix]:
    """What a term may have meant, the most probable first."""
    term = query.terms[at]
    if seen is None:
        if isinstance(term.field, Attribute) and term.is_single:
            yield as_text(query, at)
        yield from fixes_of(term)
        return
    if typed := assigned(term):
        found = [typed.name] if typed.name in seen.names else names_like(typed.name, seen.names)
        yield from (as_condition(term, typed, name) for name in found)
    existing = frozenset(seen.names)
    if term.name is not None and (presence := as_presence(query, term, existing)):
        yield presence
    if (whole_list := as_list(query, at)) is not None:
        yield whole_list
    if term.field is None or is_known(term, existing):
        values = seen.values.get(at, ())
        yield from (in_other_case(term, value) for value in values if not value.startswith(term.text))
        yield from (with_colon(query, term, fix) for fix in fixes_of(term))
        if is_spaced(query, term):
            yield as_text(query, at)
        return
    assert isinstance(term.field, Attribute)
    names = [under_other_name(query, term, name) for name in names_like(term.field.key, seen.names)]
    text = [as_text(query, at)] if term.is_single else []
    # After a space, and for //shop.example, text is more probable than a field.
    is_address = term.text.startswith("//")
    is_text = is_spaced(query, term) or is_address
    yield from [*text, *names] if is_text else [*names, *text]
    if not is_address:
        yield from fixes_of(term)

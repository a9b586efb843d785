"""What may have been meant by a term of a query that found nothing, as far as the text alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from app.domain.columns import Kind
from app.domain.severity import severity_of
from app.query import values
from app.query.assignment import Assignment
from app.query.fields import Attribute, named
from app.query.tree import Hint, Query, Term
from app.query.words import as_value, lowered, quoted, words_of

_FUZZY: Final = re.compile(r"(.*?\w)?(?:~\d*(?:\.\d+)?|\^\d+(?:\.\d+)?)")
_CIDR: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})")
_STATUS_CLASS: Final = re.compile(r"([1-5])(?:xx|XX|\?\?)")
_ASSIGNED: Final = re.compile(r"[A-Za-z_@](?:[\w.@/-]*\w)?\s*(?:[=!]=|[><]=?|=[><]?)\s*\S.*", re.DOTALL)
_IN_QUOTES: Final = re.compile(r"'([^']*)'")
_MOST_NETWORKS: Final = 16


@dataclass(frozen=True, slots=True)
class Fix:
    """A replacement for a part of a query's text, and the reason for it."""

    start: int
    end: int
    text: str
    message: str


def applied(query: Query, fixes: Sequence[Fix]) -> Hint:
    """The hint with the text of a query in which these parts are replaced; of two that overlap, only the first one."""
    text, done = "", 0
    taken = []
    for fix in sorted(fixes, key=lambda fix: fix.start):
        if fix.start >= done:
            text, done = f"{text}{query.text[done : fix.start]}{fix.text}", fix.end
            taken.append(fix.message)
    return Hint(" ".join(dict.fromkeys(taken)), text + query.text[done:])


def fixes_of(term: Term) -> Iterator[Fix]:
    """What may have been meant, without a look at the logs."""
    value = term.value
    if term.is_quoted:
        return
    if term.field is None and severity_of(term.text) and len(term.text) > 1:
        yield _replaced(term, f"level:{lowered(severity_of(term.text))}", "A word is searched for in messages only.")
    if term.field is not None and term.field.kind is Kind.LEVEL and (level := values.level_of_number(term.text)):
        yield _replaced(term, level, f"Levels are stored as words: {term.text} is {level}.")
    if found := _STATUS_CLASS.fullmatch(term.text):
        status = f"[{found[1]}00 TO {found[1]}99]"
        yield _replaced(term, status if term.field else f"http.status_code:{status}", f"{term.text} is not a pattern.")
    elif "?" in term.text:
        start = term.text[: term.text.index("?")]
        if words_of(start):
            yield _replaced(term, f"{start}*", "? stands for no character; an asterisk at the end finds a beginning.")
    if term.is_open and term.text.endswith("."):
        yield _replaced(term, f"{term.text[:-1]}*", "There are no regular expressions.")
    if (found := _FUZZY.fullmatch(term.text)) and not term.is_open:
        yield Fix(value.start, value.end, found[1] or "", "There is no fuzzy search and no boost.")
    if found := _CIDR.fullmatch(term.text):
        networks = list(_networks([int(part) for part in found.groups()]))
        text = networks[0] if len(networks) == 1 else f"({' OR '.join(networks)})"
        yield _replaced(term, text, "Addresses are compared as text, so a network is found by the beginning.")
    if term.field is not None and "," in term.text:
        parts = [as_value(part) for part in term.text.split(",") if part]
        if parts:
            text = parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
            yield _replaced(term, text, "Alternatives are joined by OR.")
    if found := _IN_QUOTES.fullmatch(term.text):
        yield _replaced(term, quoted(found[1]), "Only double quotes hold text together.")


def assigned(term: Term) -> Assignment | None:
    """The field, operator and value that a word may have been meant as."""
    if term.field is None and not term.is_quoted and _ASSIGNED.fullmatch(term.text):
        return Assignment.read(term.text)
    return None


def as_condition(term: Term, typed: Assignment, name: str) -> Fix:
    """A word such as `http.status_code=500` as a condition on the field `name`."""
    text = f"{name}:{typed.sign}{as_value(typed.value.strip(chr(34)))}"
    message = f"{typed.name}{typed.operator} is searched for in messages; a field and its value are joined by a colon."
    return Fix(term.value.start, term.value.end, f"-{text}" if typed.is_negated else text, message)


def in_single_quotes(query: Query) -> Iterator[Fix]:
    """Texts of several words in single quotes, which mean nothing here."""
    for found in re.finditer(r"(?<![\w\"])'([^'\"]+)'(?!\w)", query.text):
        if " " in found[1]:
            yield Fix(found.start(), found.end(), quoted(found[1]), "Only double quotes hold text together.")


def as_text(query: Query, at: int) -> Fix:
    """The term, which has a name and a colon, as text; with the words after it if a space follows the colon.

    `Timeout: card declined` was pasted as a whole, `localhost:9092 refused` perhaps not.
    """
    terms = query.terms
    first = last = terms[at]
    assert first.name is not None
    if is_spaced(query, first):
        for term in terms[at + 1 :]:
            between = query.text[last.value.end : term.whole.start]
            if not between.isspace() or term.is_quoted or (term.field and not isinstance(term.field, Attribute)):
                break
            last = term
    start, end = first.whole.start, last.value.end
    text = re.sub(r"\\(.)", r"\1", query.text[start:end]).replace('"', "")
    return Fix(start, end, quoted(text), f"{query.text[first.name.start : first.name.end]} was read as a field.")


def is_spaced(query: Query, term: Term) -> bool:
    """Whether there is a space between the colon and the value."""
    return term.name is not None and query.text[term.value.start - 1].isspace() and ":" in _before(query, term)


def _before(query: Query, term: Term) -> str:
    assert term.name is not None
    return query.text[term.name.end : term.value.start]


def in_other_case(term: Term, stored: str) -> Fix:
    """The value as it is stored."""
    return Fix(term.value.start, term.value.end, as_value(stored), f"Values are case-sensitive: {stored} exists.")


def under_other_name(query: Query, term: Term, name: str) -> Fix:
    """The term with another field, and with the first fix of its value."""
    assert term.name is not None
    typed = query.text[term.name.start : term.name.end]
    escaped = re.sub(r"([\s():\"*\\])", r"\\\1", name)
    fix = Fix(term.name.start, term.name.end, escaped, f"No log has the field {typed}; {name} exists.")
    for of_value in islice(fixes_of(term), 1):
        text = f"{fix.text}{query.text[fix.end : of_value.start]}{of_value.text}"
        return Fix(fix.start, of_value.end, text, f"{fix.message} {of_value.message}")
    return fix


def names_like(name: str, existing: Sequence[str]) -> list[str]:
    """The existing names that a name may stand for, the most similar first: in other case, or as a part of them."""
    typed = name.lower()
    same = [other for other in existing if other.lower() == typed]
    ends = [other for other in existing if re.search(rf"[._]{re.escape(typed)}$", other.lower())]
    begins = [other for other in existing if other.lower() in (f"{typed}_id", f"{typed}.id", f"{typed}_ms")]
    within = [other for other in existing if typed in re.split(r"[._]", other.lower())]
    return list(dict.fromkeys([*same, *sorted(ends, key=len), *begins, *sorted(within, key=len)]))


def is_known(term: Term, existing: frozenset[str]) -> bool:
    """Whether the field of a term is a column, or an attribute that logs have."""
    if not isinstance(term.field, Attribute) or named(term.field.name) != term.field:
        return True
    return bool({term.field.name, term.field.key, f"resource.{term.field.key}"} & existing)


def _replaced(term: Term, text: str, message: str) -> Fix:
    return Fix(term.value.start, term.value.end, text, message)


def _networks(numbers: list[int]) -> Iterator[str]:
    """The beginnings of all addresses of a network."""
    *octets, bits = numbers
    whole, rest = divmod(bits, 8)
    count = 1 << (8 - rest)
    if whole >= len(octets):
        yield ".".join(map(str, octets))
        return
    head = "".join(f"{octet}." for octet in octets[:whole])
    if rest == 0 or count > _MOST_NETWORKS:
        yield f"{head}*"
        return
    first = octets[whole] // count * count
    for octet in range(first, first + count):
        yield f"{head}{octet}.*" if whole < 3 else f"{head}{octet}"

"""What may have been meant by a term of a query that found nothing, as far as the text alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from app.domain.columns import ALIASES, Kind
from app.domain.severity import severity_of
from app.query import values
from app.query.assignment import Assignment
from app.query.fields import Attribute, named
from app.query.tree import Hint, Piece, Query, Term
from app.query.words import as_value, lowered, quoted, words_of

_FUZZY: Final = re.compile(r"(.*?\w)?(?:~\d*(?:\.\d+)?|\^\d+(?:\.\d+)?)")
_CIDR: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})")
_OCTETS: Final = re.compile(r"(?:\d{1,3}\.){2,3}")
_STATUS_CLASS: Final = re.compile(r"([1-5])(?:xx|XX|\?\?)")
_ASSIGNED: Final = re.compile(r"[A-Za-z_@](?:[\w.@/-]*\w)?(?:[=!]=|[><]=?|=[><]?|~)\S.*", re.DOTALL)
_IN_QUOTES: Final = re.compile(r"'([^']*)'")
_TYPOGRAPHIC: Final = re.compile(r"[“”„«‘‚]([^“”„«»‘’‚\"]+)[“”»‘’]")
_LIST: Final = re.compile(r"(?<![\w.@-])([\w.@-]+)(?::|=|\s+(?i:in)\b)\s*[\[(]([^\[\](){}:]*[,|][^\[\](){}:]*)[\])]")
_IS_NULL: Final = re.compile(r"(?<![\w.@-])([\w.@-]+)\s+is\s+(not\s+)?null\b", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[,|;]")
_REGULAR: Final = re.compile(r"/([\w.-]+)/|~([\w.-]+)")
_HAS: Final = frozenset({"has", "exists", "_has_", "hasfield", "isset"})
_NOTHING: Final = frozenset({"null", "nil", "none"})
_MOST_NETWORKS: Final = 16
_JOINED: Final = "Alternatives are joined by OR."
_DOUBLE_QUOTES: Final = "Only double quotes hold text together."
_ASTERISK: Final = "An asterisk stands for any value."
_NOT_REGULAR: Final = "There are no regular expressions."


class Fix(Struct, frozen=True):
    """A replacement for a part of a query's text, and the reason for it."""

    start: int
    end: int
    text: str
    message: str


def applied(text: str, fixes: Sequence[Fix]) -> Hint:
    """The hint with a query in which these parts are replaced; of two that overlap, only the first one."""
    fixed, done, taken = "", 0, []
    for fix in sorted(fixes, key=lambda fix: fix.start):
        if fix.start >= done:
            fixed, done = f"{fixed}{text[done : fix.start]}{fix.text}", fix.end
            taken.append(fix.message)
    return Hint(" ".join(dict.fromkeys(taken)), fixed + text[done:])


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
    if term.is_open and term.text.endswith(".") and not _OCTETS.fullmatch(term.text):
        yield _replaced(term, f"{term.text[:-1]}*", _NOT_REGULAR)
    if (found := _FUZZY.fullmatch(term.text)) and not term.is_open:
        yield Fix(value.start, value.end, found[1] or "", "There is no fuzzy search and no boost.")
    if (found := _CIDR.fullmatch(term.text)) and (networks := list(_networks([int(part) for part in found.groups()]))):
        text = networks[0] if len(networks) == 1 else f"({' OR '.join(networks)})"
        yield _replaced(term, text, "Addresses are compared as text, so a network is found by the beginning.")
    parts = [part for part in _SEPARATORS.split(term.text) if part] if term.field else []
    is_read = term.field is not None and bool(values.listed(term.field.kind, term.text))
    if parts and _SEPARATORS.search(term.text) and not is_read:
        yield _replaced(term, _any_of(parts), _JOINED)
    if found := _REGULAR.fullmatch(term.text):
        yield _replaced(term, as_value(found[1] or found[2]), _NOT_REGULAR)
    if found := _IN_QUOTES.fullmatch(term.text):
        yield _replaced(term, quoted(found[1]), _DOUBLE_QUOTES)


def assigned(term: Term) -> Assignment | None:
    """The field, operator and value that a word may have been meant as."""
    if term.field is None and not term.is_quoted and _ASSIGNED.fullmatch(term.text):
        return Assignment.read(term.text)
    return None


def as_condition(term: Term, typed: Assignment, name: str) -> Fix:
    """A word such as `http.status_code=500` as a condition on the field `name`."""
    field, value = named(name), typed.value.strip("\"'")
    if field.kind is Kind.NUMBER:
        value = values.in_ms(value)
    shown = (values.level_of_number(value) if field.kind is Kind.LEVEL else "") or as_value(value)
    if not typed.sign:
        shown = f"{shown}*" if term.is_open else shown
        of_value = Term(Piece(0, len(value)), value, is_open=term.is_open, field=field)
        # With a = in it, the ? of the value begins the query string of a URL.
        shown = next((fix.text for fix in fixes_of(of_value) if "=" not in value), shown)
    text = f"{name}:{typed.sign}{shown}"
    message = f"{typed.name}{typed.operator} is searched for in messages; a field and its value are joined by a colon."
    return Fix(term.value.start, term.value.end, f"-{text}" if typed.is_negated else text, message)


def with_colon(query: Query, term: Term, fix: Fix) -> Fix:
    """The fix of a value, with a colon if several values came of it: `service=(a OR b)` is no condition."""
    operator = _before(query, term).strip() if term.name is not None else ""
    if term.name is None or operator not in ("=", "==", "!=", "<>") or not fix.text.startswith("("):
        return fix
    name = query.text[term.name.start : term.name.end]
    return Fix(term.name.start, fix.end, f"{'-' if operator in ('!=', '<>') else ''}{name}:{fix.text}", fix.message)


def as_list(query: Query, at: int) -> Fix | None:
    """A list of values with spaces after its commas, `level:ERROR, WARN`; None if the term begins no such list."""
    first = last = query.terms[at]
    parts = [first.text]
    for term in query.terms[at + 1 :]:
        if not parts[-1].endswith(",") or term.field is not None or term.value.start - last.value.end > 1:
            break
        parts.append(term.text)
        last = term
    parts = [part for text in parts for part in text.split(",") if part]
    if last is first or first.field is None or first.is_quoted:
        return None
    return Fix(first.value.start, last.value.end, _any_of(parts), _JOINED)


def as_presence(query: Query, term: Term, existing: frozenset[str]) -> Fix | None:
    """`has:trace_id` and `trace_id:null` as the language writes them; None if the term is neither."""
    assert term.name is not None
    is_presence = isinstance(term.field, Attribute) and term.field.key.lower() in _HAS
    if is_presence and (term.text in existing or not isinstance(named(term.text), Attribute)):
        return Fix(term.name.start, term.value.end, f"{term.text}:*", _ASTERISK)
    # Of a name that no log has, as in `NullPointerException: null`, it would find everything.
    is_field = is_known(term, existing)
    if term.text.lower() in _NOTHING and not term.is_quoted and term.is_single and is_field:
        name = query.text[term.name.start : term.name.end]
        return Fix(term.name.start, term.value.end, f"-{name}:*", "A field that a log does not have is no value.")
    return None


def fixes_of_text(text: str) -> Iterator[Fix]:
    """What may have been meant by several terms together: texts in other quotes, lists in brackets, IS NULL."""
    for found in re.finditer(r"(?<![\w\"])'([^'\"]+)'(?!\w)", text):
        if " " in found[1]:
            yield Fix(found.start(), found.end(), quoted(found[1]), _DOUBLE_QUOTES)
    for found in _TYPOGRAPHIC.finditer(text):
        yield Fix(found.start(), found.end(), quoted(found[1]), "Only straight double quotes hold text together.")
    for found in _LIST.finditer(text):
        parts = [part.strip(" \"'") for part in _SEPARATORS.split(found[2])]
        condition = f"{found[1]}:{_any_of([part for part in parts if part])}"
        yield Fix(found.start(), found.end(), condition, _JOINED)
    for found in _IS_NULL.finditer(text):
        presence = f"{found[1]}:*" if found[2] else f"-{found[1]}:*"
        yield Fix(found.start(), found.end(), presence, _ASTERISK)


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
    return (
        term.is_single
        and term.name is not None
        and query.text[term.value.start - 1].isspace()
        and ":" in _before(query, term)
    )


def _before(query: Query, term: Term) -> str:
    assert term.name is not None
    return query.text[term.name.end : term.value.start]


def in_other_case(term: Term, stored: str) -> Fix:
    """The value, or its beginning, as it is stored."""
    text = f"{as_value(stored[: len(term.text)])}*" if term.is_open else as_value(stored)
    return Fix(term.value.start, term.value.end, text, f"Values are case-sensitive: {stored} exists.")


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
    typed = name.lower().removesuffix(".keyword").removesuffix(".raw")
    plain = _plain(typed)
    attributes = [other for other in existing if isinstance(named(other), Attribute)]
    same = [other for other in existing if other.lower() == typed or _plain(other) == plain]
    ends = [other for other in attributes if re.search(rf"[._]{re.escape(typed)}$", other.lower())]
    ends += [other for other in attributes if len(plain) > 3 and _plain(other).endswith(plain)]
    names = {**{other: other for other in existing}, **ALIASES}
    begins = [names[other] for other in names if other.lower() in (f"{typed}_id", f"{typed}.id", f"{typed}_ms")]
    within = [other for other in attributes if typed in re.split(r"[._]", other.lower())]
    return list(dict.fromkeys([*same, *sorted(ends, key=len), *begins, *sorted(within, key=len)]))


def _plain(name: str) -> str:
    return re.sub(r"[._-]", "", name.lower())


def is_known(term: Term, existing: frozenset[str]) -> bool:
    """Whether the field of a term is a column, or an attribute that logs have."""
    if not isinstance(term.field, Attribute) or named(term.field.name) != term.field:
        return True
    return bool({term.field.name, term.field.key, f"resource.{term.field.key}"} & existing)


def _any_of(parts: Sequence[str]) -> str:
    texts = list(map(as_value, parts))
    return texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})"


def _replaced(term: Term, text: str, message: str) -> Fix:
    return Fix(term.value.start, term.value.end, text, message)


def _networks(numbers: list[int]) -> Iterator[str]:
    """The beginnings of all addresses of a network."""
    *octets, bits = numbers
    if bits > 32 or max(octets) > 255:
        return
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

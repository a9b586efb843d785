r"""Values behind names of secrets, in any text: JSON also within JSON, logfmt, headers, URLs, XML, SQL, options. Pure.

Where a value ends: a quoted one at its closing quote, one that opens with a bracket at the closing one, that of a
header at the end of the line; any other at the next blank. In doubt too much is masked.
"""

import re
from typing import Final

from app.domain.masking.rule import MARK, Rule, mark, places_of
from app.domain.masking.secret_names import HEADERS, NAMES, SCREEN, WORDS, may_be_secret
from app.domain.words import lowered

_NAME: Final = "passwords"
_MARK: Final = mark(_NAME)
_COLOUR: Final = r"(?:\x1b\[[0-9;]{0,12}m)?"
_VALUE_KEY: Final = r"""\s{0,8},\s{0,8}\\*["']\w{0,20}value\\*["']\s{0,8}:"""
# A name, and what stands between it and its value.
_NAMED: Final = re.compile(
    rf"(?P<name>{NAMES}|identified\s+by|(?<=[?&;])sig){_COLOUR}"
    rf"(?:(?P<closed>(?:\\*[\"'`]|\]|%22){_COLOUR}\s{{0,8}}(?:{_VALUE_KEY}|=>|:=|[:=,]|%3a))"
    rf"|(?P<open>\s{{0,8}}(?:=>|:=|[:=])|%3[ad]|\s{{1,8}}(?=\\*[\"'])|(?<=by)\s{{1,8}})"
    r"|(?P<option>\s{1,8})(?=[^\s-])"
    r"|(?P<element>>))"
    rf"\s{{0,8}}{_COLOUR}",
    re.IGNORECASE | re.ASCII,
)
_WITHIN_ELEMENT: Final = re.compile(r"\s[^<>]{0,200}>")
_OPENS_ELEMENT: Final = re.compile(r"<[^\s<>]*\Z")
_OF_OPTION: Final = re.compile(r"(?:^|[\s\"'`])--?[\w-]*\Z")
_IS_HEADER: Final = re.compile(HEADERS, re.IGNORECASE)
# A user and a password in front of a host; a port with nothing but a path behind it is none.
_USER: Final = re.compile(r"://[^\s:/@\"'<>\\]{0,256}:(?![0-9]{1,5}(?:[/?#\s\"',)]|\Z))")
_NO_BLANKS: Final = re.compile(r"[^\s\"'<>\\]*")
_QUOTE: Final = re.compile(r"(\\*)([\"'`])")
_BARE: Final = re.compile(r"(?:(?:Bearer|Basic|Token|ApiKey|Negotiate|Splunk|Digest)\s{1,4})?[^\s\"<]+", re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?:Bearer|Basic|Token|ApiKey|Negotiate|Splunk)\s{1,4}[^\s\"',]+", re.IGNORECASE)
_IN_JSON: Final = re.compile(r"[^\s,}\]]+")
_LINE: Final = re.compile(r"(?:[^\r\n\\]|\\(?![rn]))+")
_BRACKETS: Final = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}
_STRUCTURE: Final = re.compile(r"\\*[\"]|[{}\[\]()]")
_BEFORE_NAME: Final = 64
_BEGIN: Final = (*WORDS, "identified", "sig")


def _masked(text: str) -> tuple[str, int]:
    text, count = _masked_in_urls(text)
    parts: list[str] = []
    at = kept_to = 0
    for place in places_of(lowered(text), _BEGIN):
        found = _NAMED.match(text, place) if place >= at else None
        span = _value_of(text, found) if found else None
        if found is None or span is None:
            continue
        start, end = span
        at = max(found.end(), end)
        value = text[start:end]
        if may_be_secret(value) and not MARK.fullmatch(value.strip("'\"`,;)]}")):
            parts += (text[kept_to:start], _MARK)
            kept_to = end
            count += 1
    return "".join((*parts, text[kept_to:])), count


def _masked_in_urls(text: str) -> tuple[str, int]:
    parts: list[str] = []
    count = at = kept_to = 0
    while found := _USER.search(text, at):
        rest = _NO_BLANKS.match(text, found.end())
        password = rest[0].rpartition("@")[0] if rest else ""
        at = rest.end() if rest else found.end()
        if password and not MARK.fullmatch(password):
            parts += (text[kept_to : found.end()], _MARK)
            kept_to = found.end() + len(password)
            count += 1
    return "".join((*parts, text[kept_to:])), count


def _value_of(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """From where to where the value of a name goes; None if it was no name of a value."""
    start, before = found.end(), text[max(0, found.start() - _BEFORE_NAME) : found.start()]
    if found["option"] is not None and not _OF_OPTION.search(before):
        within = _WITHIN_ELEMENT.match(text, found.start("option"))
        return _in_element(text, within.end(), before) if within else None
    if found["element"] is not None:
        return _in_element(text, start, before)
    if quote := _QUOTE.match(text, start):
        return quote.end(), _closing(text, quote.end(), quote[1], quote[2])
    if text[start : start + 1] in ("{", "[", "(") and not MARK.match(text, start):
        return start, _matching(text, start)
    if found["closed"] is not None:
        bare = _IN_JSON.match(text, start)
    elif _IS_HEADER.fullmatch(found["name"]) and found["open"] is not None and ":" in found["open"]:
        return start, _header_end(text, start, before)
    else:
        bare = _BARE.match(text, start)
    return bare.span() if bare else None


def _in_element(text: str, start: int, before: str) -> tuple[int, int] | None:
    """What is in an element of XML whose name this is, if one opens in front of it."""
    if not _OPENS_ELEMENT.search(before):
        return None
    end = text.find("<", start)
    return start, end if end >= 0 else len(text)


def _header_end(text: str, start: int, before: str) -> int:
    """Where the value of a header ends: at the quote that opens in front of its name, or with the line."""
    if scheme := _SCHEME.match(text, start):
        return scheme.end()
    if opening := re.search(r"(\\*)([\"'`])[\w-]*\Z", before):
        return _closing(text, start, opening[1], opening[2])
    line = _LINE.match(text, start)
    return line.end() if line else start


def _closing(text: str, at: int, slashes: str, quote: str) -> int:
    """Where the text ends that was opened by a quote behind so many backslashes; at the end of all if it does not.

    Each level of JSON within JSON doubles the backslashes and adds one, and those at the end of a text double too.
    """
    depth = len(slashes)
    for found in re.compile(rf"\\*{quote}").finditer(text, at):
        run = len(found[0]) - 1
        if run % (2 * (depth + 1)) == depth:
            return found.end() - 1 - depth
    return len(text)


def _matching(text: str, start: int) -> int:
    """The end of what is in brackets; brackets in quotes do not count."""
    depth, at = 0, start
    while found := _STRUCTURE.search(text, at):
        at = found.end()
        if found[0][-1] == '"':
            slashes = found[0][:-1]
            end = _closing(text, at, slashes, '"')
            at = min(end + len(slashes) + 1, len(text))
            continue
        depth += _BRACKETS[found[0]]
        if depth <= 0:
            return at
    return len(text)


PASSWORDS: Final = Rule(_NAME, rf"{SCREEN}|identified\s+by|[?&;]sig|://[^\s]*@", _masked)

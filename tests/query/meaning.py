"""What a query was meant to find: predicates over events as they were sent. They know nothing of app/query."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias
from unicodedata import normalize

Event: TypeAlias = Mapping[str, Any]
Meaning: TypeAlias = Callable[[Event], bool]

_SEVERITIES: Final = {
    "trace": ("trace",),
    "debug": ("debug",),
    "info": ("info", "notice"),
    "warn": ("warn", "warning"),
    "error": ("error", "err"),
    "fatal": ("fatal", "critical"),
}
"""The words that the events of these tests use, the least severe first."""
_RANKS: Final = {word: rank for rank, words in enumerate(_SEVERITIES.values()) for word in words}
# Letters and digits, without those of scripts that set no blanks: Thai, Japanese, Chinese, Korean.
_WORD_CHARACTER: Final = r"[^\W_\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE]\d+)?", re.ASCII)


def everything(event: Event) -> bool:
    """Any log."""
    return True


def nothing(event: Event) -> bool:
    """No log."""
    return False


def both(*parts: Meaning) -> Meaning:
    """Logs that all parts match."""
    return lambda event: all(part(event) for part in parts)


def either(*parts: Meaning) -> Meaning:
    """Logs that any part matches."""
    return lambda event: any(part(event) for part in parts)


def other_than(part: Meaning) -> Meaning:
    """Logs that the part does not match."""
    return lambda event: not part(event)


def says(text: str) -> Meaning:
    """Logs whose message has the text in any case, as whole words."""
    return _in_message(text, _whole(text, at_start=True), _whole(text, at_start=False))


def begins_a_word(text: str) -> Meaning:
    """Logs whose message has the text, and perhaps more letters after it."""
    return _in_message(text, _whole(text, at_start=True), "")


def _in_message(text: str, before: str, after: str) -> Meaning:
    pattern = f"{before}{re.escape(_in_one_form(text))}{after}"
    return lambda event: bool(re.search(pattern, _in_one_form(value_of(event, "message"))))


def _in_one_form(text: str) -> str:
    """Lowercase; a letter with an accent is the same as one character or as two."""
    return normalize("NFC", text.lower())


def _whole(text: str, *, at_start: bool) -> str:
    """The pattern that no letter or digit is beside the text, if it has one at this end."""
    if not re.match(_WORD_CHARACTER, text[0] if at_start else text[-1]):
        return ""
    return f"(?<!{_WORD_CHARACTER})" if at_start else f"(?!{_WORD_CHARACTER})"


def level(*severities: str) -> Meaning:
    """Logs of one of these severities, by any word for it."""
    return lambda event: _severity(event) in [_RANKS[severity] for severity in severities]


def level_from(severity: str) -> Meaning:
    """Logs of this severity and of more severe ones."""
    return lambda event: _severity(event) >= _RANKS[severity]


def level_below(severity: str) -> Meaning:
    """Logs that are less severe, but have a severity."""
    return lambda event: 0 <= _severity(event) < _RANKS[severity]


def _severity(event: Event) -> int:
    return _RANKS.get(value_of(event, "level").lower(), -1)


def equal(name: str, *values: str) -> Meaning:
    """Logs whose field is one of these texts."""
    return lambda event: value_of(event, name) in values


def begins(name: str, *beginnings: str) -> Meaning:
    """Logs whose field begins with one of these texts."""
    return lambda event: value_of(event, name).startswith(beginnings)


def has(name: str) -> Meaning:
    """Logs that have the field."""
    return lambda event: value_of(event, name) != ""


def number(name: str, compare: Callable[[float, float], bool], bound: float) -> Meaning:
    """Logs whose field is a number that compares so with the bound, such as `number("age", operator.gt, 5)`."""

    def is_meant(event: Event) -> bool:
        value = value_of(event, name)
        return bool(_NUMBER.fullmatch(value)) and compare(float(value), bound)

    return is_meant


def between(name: str, least: float, most: float) -> Meaning:
    """Logs whose field is a number in this range, both ends included."""
    return both(number(name, float.__ge__, least), number(name, float.__le__, most))


def value_of(event: Event, name: str) -> str:
    """A field, or else an attribute by its dotted name, as text; "" if there is none."""
    value = event.get(name)
    if value is None:
        value = dict(_flat(event.get("attributes", {}), "")).get(name.removeprefix("attributes."), "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

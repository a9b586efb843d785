"""Names of keys: one spelling for all ways to write a name, and names that occur once. Pure."""

from collections.abc import Container, Iterable, MutableMapping
from typing import Any, Final

_NAMES_KEPT: Final = 20_000
_LONGEST: Final = 200  # characters; a longer name is that of nothing we know
_WITHOUT: Final = str.maketrans("", "", "_- ")

_spellings: Final[dict[str, str]] = {}


def one_spelling(name: str) -> str:
    """The name in lower case, without `_`, `-` and blanks: trace_id, traceId, Trace-ID and TRACEID are one."""
    found = _spellings.get(name)
    if found is None:
        if len(name) > _LONGEST:
            return name
        found = name.translate(_WITHOUT).lower()
        remember(_spellings, name, found, _NAMES_KEPT)
    return found


def remember(cache: MutableMapping[Any, Any], key: object, value: object, limit: int) -> None:
    """Add to a cache that is emptied when it is full, so that keys that never repeat do not fill the memory."""
    if len(cache) >= limit:
        cache.clear()
    cache[key] = value


def unused_name(name: str, used: Container[str]) -> str:
    """The name itself, or with the first number behind it that nobody uses: a.b, a.b_2, a.b_3."""
    if name not in used:
        return name
    number = 2
    while f"{name}_{number}" in used:
        number += 1
    return f"{name}_{number}"


def with_names_once(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The pairs in order, each name once: the second value of a name gets a number, an equal one is left out."""
    found: dict[str, Any] = {}
    last_number: dict[str, int] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif not _same(found[name], value):
            number = last_number.get(name, 1) + 1
            while f"{name}_{number}" in found:
                number += 1
            last_number[name] = number
            found[f"{name}_{number}"] = value
    return list(found.items())


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and isinstance(one, str | int | float | bool) and one == other

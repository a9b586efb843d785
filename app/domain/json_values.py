"""JSON values as attributes: leaves by dotted name, and values as text. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec


def flatten(event: dict[str, Any]) -> list[tuple[str, Any]]:
    """Leaves of a nested object by dotted name; lists, empty objects and objects nested too deeply stay whole."""
    leaves: list[tuple[str, Any]] = []
    _add_leaves(event, "", 0, leaves)
    return leaves


def _add_leaves(inner: dict[str, Any], prefix: str, depth: int, leaves: list[tuple[str, Any]]) -> None:
    for key, value in inner.items():
        if type(value) is dict and value and depth < _MAX_DEPTH:
            _add_leaves(value, f"{prefix}{key}.", depth + 1, leaves)
        else:
            leaves.append((prefix + key, value))


_MAX_DEPTH = 16  # deeper than logs are; a name made of hundreds of keys is useless


def as_text(value: object) -> str:
    """A JSON value as text: strings without quotes, everything else as JSON."""
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return _deep_as_json(value)


def _deep_as_json(value: object) -> str:
    """JSON of a value that the parser can just read and the encoder, which runs deeper in the stack, cannot write."""
    written: list[str] = []
    pending: list[tuple[Iterator[tuple[str, object]], str]] = [(iter([("", value)]), "")]
    while pending:
        members, closing_bracket = pending[-1]
        for opening, member in members:
            written.append(opening)
            if isinstance(member, dict):
                written.append("{")
                pending.append((_members(member), "}"))
                break
            if isinstance(member, list):
                written.append("[")
                pending.append((_items(member), "]"))
                break
            written.append(_as_json(member))
        else:
            written.append(closing_bracket)
            pending.pop()
    return "".join(written)


def _members(value: dict[str, object]) -> Iterator[tuple[str, object]]:
    for number, (key, member) in enumerate(value.items()):
        yield f"{',' if number else ''}{_as_json(key)}:", member


def _items(value: list[object]) -> Iterator[tuple[str, object]]:
    for number, item in enumerate(value):
        yield "," if number else "", item

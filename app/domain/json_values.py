"""JSON values as attributes: leaves by dotted name, and values as text. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

MOST_DEEP: Final = 32
"""The highest limit of depth: each level takes a frame of the stack, and a name made of hundreds of keys is useless."""


def flatten(event: dict[str, Any], depth: int) -> tuple[list[tuple[str, Any]], bool]:
    """Leaves of a nested object by dotted name, and whether any is an object that is nested more than `depth` deep.

    Those, lists and empty objects stay whole.
    """
    leaves: list[tuple[str, Any]] = []
    is_deeper = _add_leaves(event, "", depth, leaves)
    return leaves, is_deeper


def _add_leaves(inner: dict[str, Any], prefix: str, depth: int, leaves: list[tuple[str, Any]]) -> bool:
    is_deeper = False
    for key, value in inner.items():
        if type(value) is dict and value:
            if depth:
                is_deeper |= _add_leaves(value, f"{prefix}{key}.", depth - 1, leaves)
                continue
            is_deeper = True
        leaves.append((prefix + key, value))
    return is_deeper


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

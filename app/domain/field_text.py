"""The text of a field whose value may be of any type, as events may hold it. Pure."""

from typing import Any

from app.domain.columns import ALIASES
from app.domain.json_values import as_text, flatten


def text_of_field(name: str, value: object) -> str:
    """The text that the column of a field gets; "" for null, a list, or an object that does not hold it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return text_within(name, value)[0]
    return "" if value is None or isinstance(value, list) else as_text(value)


def text_within(name: str, value: dict[str, Any]) -> tuple[str, list[tuple[str, Any]]]:
    """The text of a field that came as an object, under an alias such as {"service": {"name": ...}}, and the rest.

    The rest are the other values, by their dotted names.
    """
    found, rest = "", []
    for leaf, item in flatten({name: value}):
        if item is None:
            continue
        if ALIASES.get(leaf) == name and not found:
            found = as_text(item)
        else:
            rest.append((leaf, item))
    return found, rest

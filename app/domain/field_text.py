"""The text of a field whose value may be of any type, as events may hold it. Pure."""

from typing import Any

from app.domain.columns import ALIASES
from app.domain.json_values import MOST_DEEP, as_text, flatten


def text_of_field(name: str, value: object) -> str:
    """The text that the column of a field gets; "" for null, a list, or an object that does not hold it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return text_within(name, value, MOST_DEEP)[0]  # aliases are one deep, so that any limit finds them
    return "" if value is None or isinstance(value, list) else as_text(value)


def text_within(name: str, value: dict[str, Any], depth: int) -> tuple[str, list[tuple[str, Any]], bool]:
    """The text of a field that came as an object, under an alias such as {"service": {"name": ...}}, and the rest.

    The rest are the other values, by their dotted names; with them, whether any is nested more than `depth` deep.
    """
    found, rest = "", []
    leaves, is_deeper = flatten({name: value}, depth)
    for leaf, item in leaves:
        if item is None:
            continue
        # A full object is one that is too deep: with a higher limit, it would not be the text either.
        if ALIASES.get(leaf) == name and not found and not (item and type(item) is dict):
            found = as_text(item)
        else:
            rest.append((leaf, item))
    return found, rest, is_deeper

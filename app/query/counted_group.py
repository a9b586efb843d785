"""A group of logs of one service and level with its count, and how many of them a query matches."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from app.domain.columns import Kind
from app.domain.severity import SEVERITY_NUMBER
from app.query.fields import Field, Named
from app.query.tree import And, Bound, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words

GROUPED_BY: Final = ("ServiceName", "SeverityText", "SeverityNumber")
"""The columns of a group, in the order of its fields."""

UNKNOWN: Final = 1 / 16
"""The share of logs that a condition is taken to match if nothing is known: rather too few, since too long a window
costs little."""

_NUMBERS_OF_A_SEVERITY: Final = 4


class CountedGroup(Struct, frozen=True):
    """The logs of one service and level."""

    service: str
    level: str
    severity_number: int
    count: int
    last_secs: int
    """Unix time, the start of the last step of the rollup that has one of them."""


def share(tree: Node, group: CountedGroup) -> float:
    """How many of a group's logs a query matches, as `condition` has it in SQL: 1 for all, 0 for none.

    `UNKNOWN` for what a group does not tell: other fields, and texts that are compared as numbers.
    """
    match tree:
        case And():
            return min(share(part, group) for part in tree.parts)
        case Or():
            return max(share(part, group) for part in tree.parts)
        case Not():
            return 1 - share(tree.part, group)
        case Equals():
            return _known(tree.field, group, lambda value: value == tree.value)
        case StartsWith():
            return _known(tree.field, group, lambda value: str(value).startswith(tree.text))
        case Exists():
            return _known(tree.field, group, lambda value: value != "")
        case Range():
            return _is_within(tree, group) if _is_severity(tree.field) else UNKNOWN
        case Everything():
            return 1
        case Words():
            return UNKNOWN


def _known(field: Named, group: CountedGroup, is_met: Callable[[str | int], bool]) -> float:
    value = _value(field, group)
    return UNKNOWN if value is None else is_met(value)


def _value(field: Named, group: CountedGroup) -> str | int | None:
    """The value of a field; None if a group does not tell."""
    known: Mapping[str, str | int] = {
        "ServiceName": group.service,
        "SeverityText": group.level.lower(),
        "SeverityNumber": group.severity_number,
    }
    return known.get(field.column) if isinstance(field, Field) else None


def _is_severity(field: Named) -> bool:
    return isinstance(field, Field) and (field.kind is Kind.LEVEL or field.column == "SeverityNumber")


def _is_within(tree: Range, group: CountedGroup) -> bool:
    value: float = group.severity_number
    if tree.field.kind is Kind.LEVEL:
        value = (value - 1) // _NUMBERS_OF_A_SEVERITY  # -1 for none
    is_above = tree.lower is None or value > (end := _end(tree.lower)) or (tree.lower.is_included and value == end)
    is_below = tree.upper is None or value < (end := _end(tree.upper)) or (tree.upper.is_included and value == end)
    return is_above and is_below and value >= 0


def _end(bound: Bound) -> float:
    """An end of a range in the unit of the values: severities count from 0."""
    if isinstance(bound.value, str):
        return (SEVERITY_NUMBER[bound.value] - 1) // _NUMBERS_OF_A_SEVERITY
    return bound.value

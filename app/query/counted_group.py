"""A group of logs of one service and level with its count, and whether a query matches it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.columns import Kind
from app.domain.severity import SEVERITY_NUMBER
from app.query.fields import Field, Named
from app.query.tree import And, Bound, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words

GROUPED_BY: Final = ("ServiceName", "SeverityText", "SeverityNumber")
"""The columns of a group, in the order of its fields."""

_NUMBERS_OF_A_SEVERITY: Final = 4


@dataclass(frozen=True, slots=True)
class CountedGroup:
    """The logs of one service and level."""

    service: str
    level: str
    severity_number: int
    count: int


def matches(tree: Node, group: CountedGroup) -> bool:
    """Whether a query matches the logs of a group, as `condition` has it in SQL; approximately, for an estimate.

    What a group does not tell may match: other fields, and texts that are compared as numbers.
    """
    match tree:
        case And():
            return all(matches(part, group) for part in tree.parts)
        case Or():
            return any(matches(part, group) for part in tree.parts)
        case Not():
            return not matches(tree.part, group)
        case Equals():
            return _value(tree.field, group) in (tree.value, None)
        case StartsWith():
            value = _value(tree.field, group)
            return value is None or str(value).startswith(tree.text)
        case Exists():
            return _value(tree.field, group) != ""
        case Range():
            return _is_within(tree, group)
        case Everything() | Words():
            return True


def _value(field: Named, group: CountedGroup) -> str | int | None:
    """The value of a field; None if a group does not tell."""
    known: Mapping[str, str | int] = {
        "ServiceName": group.service,
        "SeverityText": group.level.lower(),
        "SeverityNumber": group.severity_number,
    }
    return known.get(field.column) if isinstance(field, Field) else None


def _is_within(tree: Range, group: CountedGroup) -> bool:
    if tree.field.kind not in (Kind.LEVEL, Kind.WHOLE):
        return True
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

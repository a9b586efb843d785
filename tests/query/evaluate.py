"""Evaluates queries in plain Python, independently of the SQL, for comparison with the engine."""

import math
import operator
from collections.abc import Mapping
from typing import Any, TypeAlias

from app.domain.columns import Kind
from app.query.fields import Attribute, AttributeSource, Named
from app.query.tree import And, Bound, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words

Row: TypeAlias = Mapping[str, Any]

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_NONE = 0


def finds(node: Node, row: Row) -> bool:
    """Whether a query matches a row."""
    match node:
        case Everything():
            return True
        case And():
            return all(finds(part, row) for part in node.parts)
        case Or():
            return any(finds(part, row) for part in node.parts)
        case Not():
            return not finds(node.part, row)
        case Words():
            return _holds(_lowered(row["Body"]), _lowered(node.text), node.is_open)
        case Equals():
            return bool(_value(node.field, row) == node.value)
        case StartsWith():
            return str(_value(node.field, row)).startswith(node.text)
        case Exists():
            return _value(node.field, row) not in ("", None)
        case Range():
            return _is_within(node, row)


def _holds(body: str, text: str, is_open: bool) -> bool:
    starts = (at for at in range(len(body) - len(text) + 1) if body.startswith(text, at))
    return any(not _cuts(body, at) and (is_open or not _cuts(body, at + len(text))) for at in starts)


def _cuts(text: str, at: int) -> bool:
    """Whether a cut at this position would split a word."""
    return 0 < at < len(text) and _belongs_to_a_word(text[at - 1]) and _belongs_to_a_word(text[at])


def _belongs_to_a_word(character: str) -> bool:
    return not character.isascii() or character.isalnum()


def _lowered(text: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in text)


def _value(field: Named, row: Row) -> Any:
    if isinstance(field, Attribute):
        of_log, of_resource = (row[f"{name}Attributes"].get(field.key, "") for name in ("Log", "Resource"))
        return {
            AttributeSource.LOG: of_log,
            AttributeSource.RESOURCE: of_resource,
            AttributeSource.ANY: of_log or of_resource,
        }[field.source]
    value = row[field.column]
    return _lowered(value) if field.kind is Kind.LEVEL else value


def _is_within(node: Range, row: Row) -> bool:
    value = _orderable(node.field, row)
    if value is None:
        return False
    is_above = is_below = True
    if node.lower:
        is_above = (operator.ge if node.lower.is_included else operator.gt)(value, _end(node.lower))
    if node.upper:
        is_below = (operator.le if node.upper.is_included else operator.lt)(value, _end(node.upper))
    return is_above and is_below


def _orderable(field: Named, row: Row) -> Any:
    if field.kind is Kind.LEVEL:
        return _severity(row["SeverityNumber"])
    value = _value(field, row)
    return _number(value) if isinstance(value, str) else value


def _end(bound: Bound) -> float:
    return _SEVERITIES.index(bound.value) if isinstance(bound.value, str) else bound.value


def _severity(number: int) -> int | None:
    return None if number == _NONE else (number - 1) // 4


def _number(text: str) -> float | None:
    """Parse a number as ClickHouse does: no spaces, no underscores, no digits of other scripts."""
    if not text.isascii() or any(character.isspace() or character in "_\0" for character in text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number

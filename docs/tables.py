"""The tables of reference.md and query.md, made from the code so that they cannot be out of date."""

from typing import get_args

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.domain.columns import COLUMNS
from app.environment import setting_names
from app.metrics import Metrics
from app.query.fields import named, names_of


def settings() -> str:
    """Every setting: name, default, meaning with what is allowed."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in setting_names().items():
        lines.append(f"| `{name}` | {_default(field)} | {field.description}{_allowed(field)} |")
    return "\n" + "\n".join(lines) + "\n"


def metrics() -> str:
    """Every series of ours: name, type, labels, meaning."""
    described = Metrics(CollectorRegistry(), version="").described
    lines = ["| series | type | labels | meaning |", "|---|---|---|---|"]
    for series in described:
        labels = ", ".join(f"`{label}`" for label in series.labels) or "-"
        lines.append(f"| `{series.name}` | {series.kind} | {labels} | {series.meaning} |")
    return "\n" + "\n".join(lines) + "\n"


def fields() -> str:
    """Every field of the query language: names, what it is, column."""
    lines = ["| field | is | also known as | column, meaning |", "|---|---|---|---|"]
    for column in COLUMNS:
        if column.is_map:
            continue
        others = [name for name in names_of(named(column.name)) if name not in (column.name, column.column, column.key)]
        known_as = ", ".join(f"`{name}`" for name in others) or "-"
        where = f"{column.column}['{column.key}']" if column.key else column.column
        lines.append(f"| `{column.name}` | {column.kind.value} | {known_as} | `{where}`: {column.meaning} |")
    return "\n" + "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is None or default is PydanticUndefined or isinstance(default, SecretStr):
        return "-"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(field: FieldInfo) -> str:
    values = [value for value in _literals(field.annotation) if isinstance(value, str)]
    if values and not isinstance(field.default, tuple):
        return f" One of {', '.join(f'`{value}`' for value in values)}."
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    limits = [
        f"{word} {getattr(limit, bound)}"
        for limit in field.metadata
        for bound, word in words.items()
        if hasattr(limit, bound)
    ]
    return f" {', '.join(limits).capitalize()}." if limits else ""


def _literals(annotation: object) -> list[object]:
    found: list[object] = []
    for argument in get_args(annotation):
        found.extend(_literals(argument) if get_args(argument) else [argument])
    return found

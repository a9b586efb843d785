"""Conditions in the form of other languages: `level=error`, `level != error`, `response_time_ms>500`.

Messages contain such text too (`user=5&x=1`), so it is a condition only where nothing else can be meant.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from app.domain.columns import Kind
from app.query import values
from app.query.fields import Attribute, AttributeSource, Named, named

_FORM: Final = re.compile(r"([\w.@/-]+)(\s*)(==|!=|=~|!~|<>|>=|<=|=>|=<|=|>|<|~)(\s*)(.*)", re.DOTALL)
_SIGNS: Final = {"=": "", "==": "", "!=": "", ">=": ">=", "=>": ">=", "<=": "<=", "=<": "<=", ">": ">", "<": "<"}
_REVERSED: Final = frozenset({"=>", "=<"})  # arrows of text, unless the value can be compared
_REGULAR: Final = frozenset({"=~", "!~"})


class Assignment(Struct, frozen=True):
    """A name, an operator and a value, with the space between them."""

    name: str
    operator: str
    value: str
    value_at: int
    """Where the value begins."""
    is_spaced: bool
    """Whether the operator stands by itself: then the text is not one that messages are searched for."""

    @property
    def is_quoted(self) -> bool:
        """Whether the value is in quotes, double or single."""
        return self.value.startswith(('"', "'"))

    @classmethod
    def read(cls, text: str) -> Assignment:
        """Split text that the grammar found to be an assignment."""
        found = _FORM.fullmatch(text)
        assert found is not None
        name, before, operator, after, value = found.groups()
        if len(value) > 1 and value[0] == value[-1] == "'":
            value = f'"{value[1:-1]}"' if '"' not in value else value
        return cls(name, operator, value, found.start(5), bool(before and after))

    @property
    def field(self) -> Named:
        """The field with this name."""
        return named(self.name)

    @property
    def is_negated(self) -> bool:
        """Whether the operator is !=, !~ or SQL's <>."""
        return self.operator in ("!=", "!~", "<>")

    @property
    def sign(self) -> str:
        """The comparison as the language writes it, "" for equality."""
        return _SIGNS.get(self.operator, "")

    @property
    def is_regular(self) -> bool:
        """Whether the value is a regular expression."""
        return self.operator in _REGULAR

    @property
    def is_meant(self) -> bool:
        """Whether this can only be a condition."""
        if (self.is_spaced and self.operator not in _REVERSED) or self.operator == "!=":
            return True
        if self.is_regular:
            return self.value.startswith('"')
        field, value = self.field, self.value.strip('"')
        if self.operator == "~":
            return False
        if self.sign:
            return _can_be_compared(field.kind, value)
        if set("=&") & set(value) or (isinstance(field, Attribute) and field.source is AttributeSource.ANY):
            return False
        if field.kind is Kind.WORDS:
            return self.name == field.name
        return field.kind in (Kind.TEXT, Kind.LEVEL) or _can_be_compared(field.kind, value)


def _can_be_compared(kind: Kind, value: str) -> bool:
    if kind is Kind.WORDS:
        return False
    if kind is Kind.TIME and value.startswith("now"):
        return True  # to be refused with a reason
    try:
        values.orderable(kind, value)
    except ValueError:
        return False
    return True

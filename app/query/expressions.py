"""Fields as SQL expressions, to aggregate, group by or show; the keys of attributes are bound parameters."""

from typing import Final

from app.domain.columns import Kind
from app.query.attribute_reference import reference
from app.query.errors import BadParameter
from app.query.fields import Attribute, Field, named

_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.WHOLE})


class Expressions:
    """Writes expressions for one statement, and collects their parameters and the columns that they read."""

    def __init__(self, prefix: str = "key") -> None:
        """The prefix keeps the names of parameters distinct from others in the statement."""
        self.parameters: dict[str, str] = {}
        self.columns: frozenset[str] = frozenset()
        self._prefix = prefix

    def text(self, name: str) -> str:
        """The value of a field as text, "" where it is missing."""
        field = named(name)
        if isinstance(field, Attribute):
            self.columns |= {"LogAttributes", "ResourceAttributes"}
            return reference(field.source, self._parameter(field.key))
        self.columns |= {field.column}
        if field.kind is Kind.NUMBER:
            return f"ifNull(toString({field.column}), '')"
        return field.column if field.kind in (Kind.TEXT, Kind.LEVEL, Kind.WORDS) else f"toString({field.column})"

    def number(self, name: str) -> str:
        """The value of a field as a number, NULL where it is not one: text is converted, as for comparisons.

        Raises:
            BadParameter: the field never holds numbers.
        """
        field = named(name)
        if field.kind is Kind.TEXT:
            # ClickHouse parses "nan" and "inf" as numbers too, and a single one would make a sum useless.
            number = f"toFloat64OrNull({self.text(name)})"
            return f"if(isFinite(assumeNotNull({number})), {number}, NULL)"
        if not isinstance(field, Field) or field.kind not in _NUMBERS:
            raise BadParameter("field", f"field={name} is a {field.kind.value} field, which holds no numbers")
        self.columns |= {field.column}
        return field.column

    def bound(self, text: str) -> str:
        """The placeholder of a text."""
        return f"{{{self._parameter(text)}:String}}"

    def _parameter(self, text: str) -> str:
        """The name of the parameter for a text."""
        for known, value in self.parameters.items():
            if value == text:
                return known
        name = f"{self._prefix}_{len(self.parameters)}"
        self.parameters[name] = text
        return name

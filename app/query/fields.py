"""The field names of the query language (before a colon), and the columns that they refer to."""

import difflib
from collections.abc import Iterable
from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct

from app.domain.columns import ALIASES, COLUMNS, Kind


class Field(Struct, frozen=True):
    """A column under its public name."""

    name: str
    kind: Kind
    column: str
    meaning: str


class AttributeSource(Enum):
    """Where to look up an attribute. The value is the prefix that chooses it."""

    ANY = ""
    LOG = "attributes."
    RESOURCE = "resource."


class Attribute(Struct, frozen=True):
    """A key of LogAttributes or ResourceAttributes. All values there are text."""

    key: str
    source: AttributeSource = AttributeSource.ANY

    @property
    def name(self) -> str:
        """The name in a query, with the prefix of its source."""
        return f"{self.source.value}{self.key}"

    @property
    def kind(self) -> Kind:
        """The kind of its values: always text."""
        return Kind.TEXT


Named: TypeAlias = Field | Attribute

FIELDS: Final = tuple(
    Field(column.name, column.kind, column.column, column.meaning)
    for column in COLUMNS
    if not column.is_map and not column.key
)
_KEYS: Final = {column.name: Attribute(column.key, AttributeSource.RESOURCE) for column in COLUMNS if column.key}
HOST: Final = _KEYS["host"]


def _names() -> dict[str, Named]:
    names: dict[str, Named] = {**_KEYS}
    for field in FIELDS:
        names[field.name] = names[field.column] = field
    # A field can be queried by every name that producers may send it under.
    return names | {alias: names[target] for alias, target in ALIASES.items()}


_BY_NAME: Final = _names()
_PREFIXES: Final = {
    "attributes.": AttributeSource.LOG,
    "LogAttributes.": AttributeSource.LOG,
    "resource.": AttributeSource.RESOURCE,
    "ResourceAttributes.": AttributeSource.RESOURCE,
}


def named(name: str) -> Named:
    """The column with this name or alias if there is one, else an attribute."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    for prefix, source in _PREFIXES.items():
        if name.startswith(prefix):
            return Attribute(name.removeprefix(prefix), source)
    return Attribute(name)


def names_of(field: Named) -> list[str]:
    """All names of a field, its own first."""
    others = [name for name, meant in _BY_NAME.items() if meant == field and name != field.name]
    return [field.name, *others]


def field_meant_by(name: str) -> str:
    """The name of the field most similar to this one, "" if none is similar."""
    known = ["host", *(field.name for field in FIELDS)]
    # message_id is not a misspelt message.
    return nearest(name, [field for field in known if abs(len(field) - len(name)) <= 2])


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most similar to this one, "" if none is similar."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.75)
    return found[0] if found else ""

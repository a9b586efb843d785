"""The names that people type before a colon, and the columns that they stand for."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from app.domain.columns import ALIASES, COLUMNS, Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A column under the name that people know it by."""

    name: str
    kind: Kind
    column: str
    meaning: str


class AttributeSource(Enum):
    """Where an attribute is looked for. The value is the prefix that chooses it."""

    ANY = ""
    LOG = "attributes."
    RESOURCE = "resource."


@dataclass(frozen=True, slots=True)
class Attribute:
    """A key of LogAttributes or ResourceAttributes. All values there are text."""

    key: str
    source: AttributeSource = AttributeSource.ANY

    @property
    def name(self) -> str:
        """As people type it."""
        return f"{self.source.value}{self.key}"

    @property
    def kind(self) -> Kind:
        """How it is searched."""
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
    # Under whatever name a program sent it, under that name it is found.
    return names | {alias: names[target] for alias, target in ALIASES.items()}


_BY_NAME: Final = _names()
_PREFIXES: Final = {
    "attributes.": AttributeSource.LOG,
    "LogAttributes.": AttributeSource.LOG,
    "resource.": AttributeSource.RESOURCE,
    "ResourceAttributes.": AttributeSource.RESOURCE,
}


def named(name: str) -> Named:
    """What a name stands for: a column where there is one, else an attribute."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    for prefix, source in _PREFIXES.items():
        if name.startswith(prefix):
            return Attribute(name.removeprefix(prefix), source)
    return Attribute(name)


def names_of(field: Named) -> list[str]:
    """All names that stand for it, its own first."""
    others = [name for name, meant in _BY_NAME.items() if meant == field and name != field.name]
    return [field.name, *others]


def field_meant_by(name: str) -> str:
    """The field whose name comes nearest to this one, "" if none comes near."""
    known = ["host", *(field.name for field in FIELDS)]
    # message_id is no misspelt message.
    return nearest(name, [field for field in known if abs(len(field) - len(name)) <= 2])


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that this one was probably meant to be, "" if none comes near."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.75)
    return found[0] if found else ""

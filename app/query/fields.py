"""The names that people type before a colon, and the columns that they stand for."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from app.domain.aliases import ALIASES


class Kind(Enum):
    """How a field is searched. The value is what people call it."""

    WORDS = "words"
    TEXT = "text"
    LEVEL = "level"
    NUMBER = "number"  # Float32, and may be missing
    WHOLE = "whole number"
    TIME = "time"


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

FIELDS: Final = (
    Field("message", Kind.WORDS, "Body", "the text of the event"),
    Field("level", Kind.LEVEL, "SeverityText", "trace < debug < info < warn < error < fatal, in any case"),
    Field("service", Kind.TEXT, "ServiceName", "the service that wrote it"),
    Field("user_id", Kind.TEXT, "UserId", "the user it is about"),
    Field("response_time_ms", Kind.NUMBER, "ResponseTimeMs", "response time in milliseconds"),
    Field("trace_id", Kind.TEXT, "TraceId", "trace it belongs to"),
    Field("span_id", Kind.TEXT, "SpanId", "span it belongs to"),
    Field("timestamp", Kind.TIME, "Timestamp", "when it happened"),
    Field("severity_number", Kind.WHOLE, "SeverityNumber", "OpenTelemetry's number of the level, 0 for none"),
    Field("parse_error", Kind.TEXT, "ParseError", "what was not understood of it"),
    Field("topic", Kind.TEXT, "_topic", "Kafka topic it came from"),
    Field("topic_id", Kind.TEXT, "_topic_id", "id of that topic"),
    Field("partition", Kind.WHOLE, "_partition", "partition it came from"),
    Field("offset", Kind.WHOLE, "_offset", "offset it came from"),
    Field("_item", Kind.WHOLE, "_item", "its number within a record of several events"),
    Field("_ingested", Kind.TIME, "_ingested", "when it was stored"),
    Field("_raw", Kind.TEXT, "_raw", "the bytes that were not understood"),
)
HOST: Final = Attribute("host.name", AttributeSource.RESOURCE)  # where decode puts the host


def _names() -> dict[str, Named]:
    names: dict[str, Named] = {"host": HOST}
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

"""A row together with how it was read."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct, field

from app.domain.notes import Note


class TimeFrom(Enum):
    """Where the time of a row comes from. The values are words for people."""

    WRITTEN = "written with its zone"
    ASSUMED = "written without a zone"
    RECORD = "the record's"


class Explained(Struct, frozen=True):
    """A row that a record becomes, or has become."""

    row: Mapping[str, Any]
    """By the names of the fields, as the API shows them."""
    forms: tuple[str, ...]
    """What the record is, from the outside to the inside."""
    sources: Mapping[str, Note]
    """Where the fields come from, by name."""
    time_from: TimeFrom
    settings: Mapping[str, str]
    """The settings with which the row would be another if they had other values, and the values they have."""

    masked: Mapping[str, int] = field(default_factory=dict)
    """How many secrets of the row were masked, by rule."""

    @property
    def form(self) -> str:
        """All forms in one word."""
        return " > ".join(self.forms)

    def as_object(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        return {
            "row": dict(self.row),
            "form": list(self.forms),
            "time_from": self.time_from.name.lower(),
            "sources": {
                name: {"from": note.source, "text": note.text, "rule": note.rule} for name, note in self.sources.items()
            },
            "settings": dict(self.settings),
            "masked": dict(self.masked),
        }

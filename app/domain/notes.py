"""How an event was read, for people. Its readers note it only if they are asked to; see `Reading.explains`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import Struct, field

from app.domain.json_values import as_text

_SHOWN_CHARS: Final = 200


class Note(NamedTuple):
    """Where a field's value comes from."""

    source: str  # such as "key level_name" or "the time of the line"
    text: str = ""  # what is written there
    rule: str = ""  # why that counts, if it is not obvious

    @classmethod
    def of(cls, source: str, value: object, rule: str = "") -> Note:
        """The note of a value of any type; a long one is cut."""
        text = as_text(value) if isinstance(value, str | bool | dict | list) else repr(value)
        return cls(source, text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…", rule)

    def with_rule(self, rule: str) -> Note:
        """The same with one more rule."""
        return self._replace(rule="; ".join(filter(None, (self.rule, rule))))


class Notes(Struct):
    """How one event was read: its forms from the outside to the inside, and where its fields come from, by name."""

    forms: tuple[str, ...]
    fields: dict[str, Note] = field(default_factory=dict)

    def of_line(self, source: str, values: Mapping[str, object]) -> Notes:
        """The same with a note for every further field that has a value, all from one place."""
        for name, value in values.items():
            if value not in (None, "") and name not in self.fields:
                self.fields[name] = Note.of(source, value)
        return self

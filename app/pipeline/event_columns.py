"""The events of a chunk before they become rows: their values, column by column, in order."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.columns import SENT
from app.domain.event import Event
from app.formats.json_object import rest_of

Pairs = list[tuple[str, Any]]


class EventColumns:
    """Gathers events; call `split` when all are added. Rare values are kept by row.

    An event comes as an `Event`, or as the parsed JSON object: most are objects of canonical names, which become
    columns without an `Event` in between.
    """

    def __init__(self) -> None:
        self.records: Final[list[int]] = []
        """The record that each row comes from, by its index in the chunk."""
        self.items: Final[list[int]] = []
        """The number of each row within its record."""
        self.fields: dict[str, list[Any]] = {}
        self.attributes: list[Pairs | None] = []
        self.resource: Final[dict[int, Pairs]] = {}
        self.severity_numbers: Final[dict[int, int]] = {}
        self.problems: Final[dict[int, list[str]]] = {}
        self.raw: Final[dict[int, bytes]] = {}
        self._objects: Final[list[dict[str, Any]]] = []
        self._events: Final[dict[int, Event]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def add_object(self, record: int, parsed: dict[str, Any]) -> None:
        """Add a parsed JSON object; `split` takes it apart later, and leaves it changed."""
        self._objects.append(parsed)
        self.records.append(record)
        self.items.append(0)

    def add(self, record: int, event: Event, item: int) -> None:
        """Add an event, number `item` of its record."""
        self._events[len(self)] = event
        self._objects.append(event.fields)
        self.records.append(record)
        self.items.append(item)

    def split(self) -> None:
        """Split all events into values by column, and attributes for values without one. Call it once, at the end."""
        pick = [fields.pop for fields in self._objects]
        self.fields = {name: [pop(name, None) for pop in pick] for name in SENT}
        self.attributes = [None] * len(self)
        for row, rest in enumerate(self._objects):
            if rest:
                self._take_rest(row, rest)
        for row, event in self._events.items():
            self._take_event(row, event)

    def flag(self, row: int, problem: str) -> None:
        """Add a problem of a row: a part of it that was not understood."""
        self.problems.setdefault(row, []).append(problem)

    def keep(self, row: int, name: str, value: object) -> None:
        """Keep a value as an attribute because its column cannot hold it."""
        kept = self.attributes[row] or []
        kept.append((name, value))
        self.attributes[row] = kept

    def problem_counts(self) -> Mapping[str, int]:
        """The number of rows with a problem, by its first word."""
        counts: dict[str, int] = {}
        for reason in self._reasons():
            counts[reason] = counts.get(reason, 0) + 1
        return counts

    def _reasons(self) -> Iterator[str]:
        for problems in self.problems.values():
            yield from {problem.partition(":")[0] for problem in problems}

    def _take_rest(self, row: int, rest: dict[str, Any]) -> None:
        """Add the keys of an object that are not canonical names: aliases of fields, or attributes."""
        fields = self.fields
        named, attributes = rest_of(rest, lambda name: fields[name][row] is not None)
        for name, value in named.items():
            fields[name][row] = value
        self.attributes[row] = attributes or None

    def _take_event(self, row: int, event: Event) -> None:
        self.attributes[row] = [*event.attributes, *event.without_column()] or None
        if event.resource:
            self.resource[row] = event.resource
        if event.severity_number:
            self.severity_numbers[row] = event.severity_number
        if event.problems:
            self.problems[row] = list(event.problems)
        if event.raw:
            self.raw[row] = event.raw

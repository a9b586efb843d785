"""A JSON object as an event: its keys as fields, origin and attributes. Pure."""

from typing import Any, Final

from app.domain.attribute_limits import too_deep
from app.domain.columns import SENT
from app.domain.event import Event
from app.domain.json_values import as_text, flatten
from app.domain.keys import with_names_once
from app.domain.level_scales import Scale
from app.domain.notes import Notes
from app.formats.json_body import made_body, rendered
from app.formats.json_ids import ids_of
from app.formats.json_levels import NO_LEVEL, Level, level_of
from app.formats.json_names import TEMPLATES
from app.formats.json_notes import MADE, notes_of
from app.formats.json_plan import TOO_MANY, Indexes, Plan, plan_of
from app.formats.json_times import day_and_clock, first_moment, is_time_object, together, zone_beside

_KEPT_WHOLE: Final = frozenset(SENT) - {"level"}


def event_of(
    parsed: dict[str, Any],
    depth: int,
    *,
    needs_message: bool = True,
    scale: Scale | None = None,
    explains: bool = False,
) -> Event:
    """The event of a parsed object. Never fails, and leaves the object as it is.

    Objects in it are looked into `depth` deep; it is flagged if any is nested deeper. Without a message of its own it
    gets one that is made of its values, if it needs one. `scale` is the one of its numeric level, if that is known
    better than from its keys. With `explains` it says how it was read.
    """
    names, values, is_deeper = leaves_of(parsed, depth)
    reading = _Reading(names, values, scale)
    event = reading.event()
    if is_deeper:
        event.problems.append(too_deep(depth))
    if explains:
        event.notes = reading.notes()
    if needs_message and not _is_a_message(event.fields.get("message")):
        event.fields["message"] = made_body(names, values) or as_text(parsed)
        if event.notes:
            event.notes.fields["message"] = MADE
    return event


def leaves_of(parsed: dict[str, Any], depth: int) -> tuple[list[str], list[Any], bool]:
    """The dotted names and values of an object, without nulls, and whether any is nested more than `depth` deep.

    Objects that are one value of a field stay whole.
    """
    names: list[str] = []
    values: list[Any] = []
    is_deeper = False
    for name, value in parsed.items():
        if type(value) is not dict or name in _KEPT_WHOLE or is_time_object(name, value):
            if value is not None:
                names.append(name)
                values.append(value)
        elif value or name != "attributes":
            leaves, is_cut = flatten({name: value}, depth)
            is_deeper |= is_cut
            for leaf, item in leaves:
                if item is not None:
                    names.append(leaf)
                    values.append(item)
    return names, values, is_deeper


class _Reading:
    """Takes the values of an event one field after the other; what no field takes is an attribute."""

    def __init__(self, names: list[str], values: list[Any], scale: Scale | None) -> None:
        self._names = names
        self._values = values
        self._plan: Plan = plan_of(tuple(names))
        self._scale = scale or self._plan.scale
        self._taken: set[int] = set()
        self._fields: dict[str, Any] = {}
        self._sources: dict[str, int] = {}  # the value that each field is read from

    def event(self) -> Event:
        """The event; it has no message if no key holds one."""
        plan, fields = self._plan, self._fields
        for field, candidates in plan.fields:
            fields[field] = self._take_first(field, candidates)
        if plan.times:
            fields["timestamp"] = self._time()
        fields["message"] = self._message()
        level = self._level() if plan.levels or plan.level_numbers else NO_LEVEL
        if plan.ids:
            self._take_ids()
        resource = self._resource() if plan.resource else []
        problems = [] if plan.is_looked_at else [TOO_MANY]
        return Event(fields, self._attributes(), resource, level.number, problems=problems)

    def notes(self) -> Notes:
        """Where the fields come from; after `event`."""
        levels = [*self._plan.levels, *self._plan.level_numbers]
        return notes_of(self._names, self._values, self._sources, levels, self._scale)

    def _filled(self, candidates: Indexes) -> list[int]:
        return [index for index in candidates if _is_filled(self._values[index])]

    def _take(self, index: int) -> Any:
        self._taken.add(index)
        return self._values[index]

    def _take_as(self, field: str, index: int) -> Any:
        self._sources[field] = index
        return self._take(index)

    def _take_first(self, field: str, candidates: Indexes) -> Any:
        """The first value that holds something, else the first."""
        for index in candidates:
            value = self._values[index]
            if _is_filled(value):
                self._taken.add(index)
                self._sources[field] = index
                return value
        return self._take(candidates[0])

    def _time(self) -> Any:
        """The first value that is a moment; else that of the first name that can only be one of a time."""
        times, values = self._plan.times, self._values
        if len(times) == 1 and self._plan.sure_times:
            return self._take_first("timestamp", times)
        found = self._filled(times)
        moment = first_moment(found, values)
        if moment is not None:
            return self._take_as("timestamp", moment)
        if pair := day_and_clock(found, values):
            day, clock = (self._take_as("timestamp", index) for index in pair)
            return together(day, clock, zone_beside(self._names, values))
        return self._take_first("timestamp", sure) if (sure := times[: self._plan.sure_times]) else None

    def _message(self) -> Any:
        for index in self._plan.messages:
            if _is_a_message(self._values[index]):
                self._sources["message"] = index
                if self._names[index] in TEMPLATES:
                    return rendered(as_text(self._values[index]), dict(zip(self._names, self._values, strict=True)))
                return self._take(index)
        for index in self._plan.last_messages:
            if _is_filled_text(self._values[index]):
                self._sources["message"] = index
                return self._values[index]
        return None

    def _level(self) -> Level:
        levels, numbers = (
            [(index, self._values[index]) for index in self._filled(candidates)]
            for candidates in (self._plan.levels, self._plan.level_numbers)
        )
        level = level_of(levels, numbers, self._scale)
        self._taken.update(level.taken)
        if level.taken:
            self._sources["level"] = level.taken[0]
        if level.text is not None:
            self._fields["level"] = level.text
        elif self._plan.levels:
            self._fields["level"] = self._take_first("level", self._plan.levels)
        return level

    def _take_ids(self) -> None:
        found = {
            kind: [(index, self._values[index]) for index in self._filled(candidates)]
            for kind, candidates in self._plan.ids.items()
        }
        ids, taken, sources = ids_of(found)
        self._fields |= ids
        self._sources |= sources
        self._taken.update(taken)
        for kind in ("trace_id", "span_id"):
            if kind in self._plan.ids and kind not in ids:
                self._fields[kind] = self._take_first(kind, self._plan.ids[kind])

    def _resource(self) -> list[tuple[str, Any]]:
        found: dict[str, Any] = {}
        for index, key in self._plan.resource:
            if key not in found and _is_filled(self._values[index]):
                found[key] = self._take(index)
        return list(found.items())

    def _attributes(self) -> list[tuple[str, Any]]:
        plan, values, taken = self._plan, self._values, self._taken
        for index in plan.may_be_left_out:
            if index not in taken and not _is_a_message(values[index]):
                taken.add(index)
        rest = [(name, values[i]) for i, name in plan.attributes if i not in taken]
        return rest if plan.have_names_once else with_names_once(rest)


def _is_filled(value: object) -> bool:
    """Whether a value holds something: no empty text, list or object, and not null."""
    return bool(value) or (value is not None and type(value) not in (str, dict, list))


def _is_a_message(value: object) -> bool:
    return _is_filled(value) and not (isinstance(value, str) and value.isspace())


def _is_filled_text(value: object) -> bool:
    return isinstance(value, str) and _is_a_message(value)

"""Plain objects: events that become a row without being read value by value, which nearly all are. Pure.

Objects in them have no objects in them: they are one deep, as much as any limit of depth allows.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from app.domain.columns import ALIASES, SENT
from app.domain.event import Event
from app.domain.keys import remember
from app.domain.level_scales import Scale
from app.formats.carriers.table import MARKS
from app.formats.dialects import Dialect, dialect_of
from app.formats.json_access import may_be_access
from app.formats.json_levels import severity_of_value
from app.formats.json_names import LAST_MESSAGE, POSSIBLE_RANK, meaning_of
from app.formats.json_object import event_of
from app.formats.json_plan import meaning_in
from app.formats.json_times import is_moment
from app.formats.origin import resource_key_of
from app.formats.plain_attributes import MOST_CHARS, MOST_KEYS, NO_ATTRIBUTES, Attributes, PlainAttributes, pairs_of


class Shape(NamedTuple):
    """What the keys of a plain object say: which hold its message, level and ids, aliases to rename, and attributes."""

    message: str
    level: str
    id: str
    """The first of trace and span."""
    attributes_of: Callable[[dict[str, Any], bytes], Attributes | None] | None
    more: "More | None"
    key_of: Mapping[str, str]
    """By the names of fields."""
    attributes: PlainAttributes | None


class More(NamedTuple):
    """What most shapes have nothing of."""

    time: str
    """Only where other keys may hold a time too: then its value must be a moment, and those are attributes."""
    other_times: tuple[str, ...]
    other_ids: tuple[str, ...]
    renames: tuple[tuple[str, str], ...]
    dialect: Dialect | None

    @property
    def scale(self) -> Scale | None:
        """The scale of numeric levels."""
        return self.dialect.scale if self.dialect else None

    def allows(self, parsed: dict[str, Any]) -> bool:
        """Whether the values of an object with these keys leave it plain."""
        if self.dialect is not None and None in parsed.values():  # keys without a value are no marks of a dialect
            return False
        times = map(parsed.get, self.other_times)
        if self.other_times and not (is_moment(parsed[self.time]) and all(map(_is_one_value, times))):
            return False
        return not any(_says_more(parsed[key]) for key in self.other_ids)


_SHAPES_KEPT: Final = 4096
_shapes: Final[dict[tuple[str, ...], Shape | None]] = {}


def attributes_if_plain(parsed: dict[str, Any], text: bytes = b"") -> Attributes | None:
    """The attributes of a plain object, whose keys become the names of fields; None for an object that is not plain.

    `text` is the JSON that was parsed, if it is at hand. The row is the one that `event_of` leads to.
    """
    keys = tuple(parsed)
    try:
        shape = _shapes[keys]
    except KeyError:
        shape = shape_of(keys)
    if shape is None:
        return None
    message, level, id_key, attributes_of, more, _, _ = shape
    body = parsed[message]
    if type(body) is not str or not body or body.isspace():
        return None
    if id_key and type(name := parsed[id_key]) is str and "/" in name:
        return None
    if more is not None and not more.allows(parsed):
        return None
    severity = ""
    if level:
        word = parsed[level]
        if type(word) is not str or not word.isalpha():
            severity = _severity(word, more.scale if more else None)
            if not severity:
                return None
    found = NO_ATTRIBUTES if attributes_of is None else attributes_of(parsed, text)
    if found is None or (more is not None and not _rename(parsed, more.renames)):
        return None
    if severity:
        parsed["level"] = severity
    return found


def shape_of(keys: tuple[str, ...]) -> Shape | None:
    """The shape of an object with these keys, None if it is not plain; remembered, unless they are very many."""
    if keys in _shapes:
        return _shapes[keys]
    shape = _shape_of(keys)
    if len(keys) <= MOST_KEYS and sum(map(len, keys)) <= MOST_CHARS:
        remember(_shapes, keys, shape, _SHAPES_KEPT)
    return shape


def _says_more(name: object) -> bool:
    """Whether the value of an id says more than that, so that it is kept."""
    return type(name) is str and "/" in name


def _is_one_value(value: object) -> bool:
    """Whether a value is a number or a text that is not blank."""
    return not value.isspace() and value != "" if isinstance(value, str) else isinstance(value, int | float)


def quick_event_of(parsed: dict[str, Any], depth: int) -> Event:
    """The same event as that of `event_of`; of a plain object it takes less time, and changes the object."""
    attributes = attributes_if_plain(parsed)
    if attributes is None:
        return event_of(parsed, depth)
    return Event({name: parsed[name] for name in SENT if name in parsed}, pairs_of(attributes))


def _rename(parsed: dict[str, Any], renames: tuple[tuple[str, str], ...]) -> bool:
    """Give fields their own names; false if one of them is an object, which may have other names inside."""
    for alias, _ in renames:
        if type(parsed[alias]) is dict:
            return False
    for alias, field in renames:
        parsed[field] = parsed.pop(alias)
    return True


_severities: Final[dict[tuple[int | str, Scale | None], str]] = {}
_LONGEST_LEVEL: Final = 12


def level_text(value: object, scale: Scale | None) -> str:
    """The text that is stored for the level of a plain object, "" if the object is not plain with such a level."""
    return value if type(value) is str and value.isalpha() else _severity(value, scale)


def _severity(value: object, scale: Scale | None) -> str:
    """The severity of a numeric level, from a cache: a logger uses few numbers."""
    if not (type(value) is int or (type(value) is str and len(value) <= _LONGEST_LEVEL)):
        return ""
    severity = _severities.get((value, scale))
    if severity is None:
        severity = severity_of_value(value, scale)
        remember(_severities, (value, scale), severity, _SHAPES_KEPT)
    return severity


def _shape_of(keys: tuple[str, ...]) -> Shape | None:
    if len(keys) > MOST_KEYS or not MARKS.isdisjoint(keys):
        return None
    dialect = dialect_of(frozenset(keys))
    key_of: dict[str, str] = {}
    attributes: list[str] = []
    other_times: list[str] = []
    for key in keys:
        if _is_attribute(key, dialect):
            attributes.append(key)
            continue
        meaning = meaning_in(key, dialect)
        if meaning is not None and meaning.field == "timestamp" and meaning.rank >= POSSIBLE_RANK:
            other_times.append(key)
            attributes.append(key)
            continue
        if meaning is None or meaning.field not in SENT or meaning.field in key_of:
            return None
        if ALIASES.get(key, key) != meaning.field:
            return None
        key_of[meaning.field] = key
    if "message" not in key_of or (other_times and "timestamp" not in key_of):
        return None
    if "level" not in key_of and may_be_access(keys):
        return None
    renames = tuple((key, field) for field, key in key_of.items() if key != field)
    of_keys = PlainAttributes(keys, tuple(attributes)) if attributes else None
    first_id, *ids = [key_of[field] for field in ("trace_id", "span_id") if field in key_of] or [""]
    more = More(key_of.get("timestamp", ""), tuple(other_times), tuple(ids), renames, dialect)
    has_more = dialect is not None or any((other_times, ids, renames))
    return Shape(
        message=key_of["message"],
        level=key_of.get("level", ""),
        id=first_id,
        attributes_of=of_keys.of if of_keys else None,
        more=more if has_more else None,
        key_of=key_of,
        attributes=of_keys,
    )


def _is_attribute(name: str, dialect: Dialect | None) -> bool:
    """Whether a name means nothing but itself beside a message."""
    meaning = meaning_in(name, dialect) or meaning_of(name)
    return (meaning is None or meaning.field == LAST_MESSAGE) and not (
        name.startswith("attributes.") or resource_key_of(name)
    )

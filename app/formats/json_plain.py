"""Plain objects: events that become a row without being read value by value, which nearly all are. Pure."""

from typing import Any, Final, NamedTuple

from app.domain.columns import ALIASES, SENT
from app.domain.event import Event
from app.domain.keys import remember
from app.domain.level_scales import Scale
from app.formats.carriers.table import MARKS
from app.formats.dialects import Dialect, dialect_of
from app.formats.json_levels import severity_of_value
from app.formats.json_names import LAST_MESSAGE
from app.formats.json_object import event_of
from app.formats.json_plan import meaning_in
from app.formats.origin import resource_key_of

Signature = tuple[tuple[str, ...], ...]
"""Of each object among the attributes its key, and the keys in it."""
Flat = tuple[tuple[str, ...], ...]
"""Of each of these objects the names of its values as attributes."""


class Shape(NamedTuple):
    """What the keys of a plain object say: the keys of its message and level, aliases to rename, and attributes."""

    message: str
    level: str
    renames: tuple[tuple[str, str], ...]
    attributes: tuple[str, ...]
    scale: Scale | None
    keys: tuple[str, ...]
    flat: dict[Signature, Flat | None]
    """Filled as objects among the attributes occur."""


Pairs = list[tuple[str, Any]]
_NONE: Final[Pairs] = []

_SHAPES_KEPT: Final = 4096
_MOST_KEYS: Final = 64
_FLAT_KEPT: Final = 64  # of a shape
_shapes: Final[dict[tuple[str, ...], Shape | None]] = {}


def attributes_if_plain(parsed: dict[str, Any]) -> Pairs | None:
    """The attributes of a plain object, whose keys become the names of fields; None for an object that is not plain.

    Its row is the one that `event_of` leads to.
    """
    keys = tuple(parsed)
    try:
        shape = _shapes[keys]
    except KeyError:
        shape = _shape_of(keys)
        remember(_shapes, keys, shape, _SHAPES_KEPT)
    if shape is None:
        return None
    text = parsed[shape.message]
    if type(text) is not str or not text or text.isspace():
        return None
    severity = ""
    if shape.level:
        word = parsed[shape.level]
        if type(word) is not str or not word.isalpha():
            severity = _severity(word, shape.scale)
            if not severity:
                return None
    attributes = _attributes(parsed, shape) if shape.attributes else _NONE
    if attributes is None or (shape.renames and not _rename(parsed, shape.renames)):
        return None
    if severity:
        parsed["level"] = severity
    return attributes


def quick_event_of(parsed: dict[str, Any]) -> Event:
    """The same event as that of `event_of`; of a plain object it takes less time, and changes the object."""
    attributes = attributes_if_plain(parsed)
    if attributes is None:
        return event_of(parsed)
    return Event({name: parsed[name] for name in SENT if name in parsed}, attributes)


def _rename(parsed: dict[str, Any], renames: tuple[tuple[str, str], ...]) -> bool:
    """Give fields their own names; false if one of them is an object, which may have other names inside."""
    for alias, _ in renames:
        if type(parsed[alias]) is dict:
            return False
    for alias, field in renames:
        parsed[field] = parsed.pop(alias)
    return True


def _attributes(parsed: dict[str, Any], shape: Shape) -> Pairs | None:
    """The attributes with a value; None if one is an object that has to be looked into."""
    found: Pairs = []
    for name in shape.attributes:
        value = parsed[name]
        if type(value) is dict:
            return _flat_attributes(parsed, shape)
        if value is not None:
            found.append((name, value))
    return found


_severities: Final[dict[tuple[int | str, Scale | None], str]] = {}
_LONGEST_LEVEL: Final = 12


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
    """The shape of an object with these keys, None if it is not plain."""
    if len(keys) > _MOST_KEYS or not MARKS.isdisjoint(keys):
        return None
    dialect = dialect_of(frozenset(keys))
    key_of: dict[str, str] = {}
    attributes: list[str] = []
    for key in keys:
        if _is_attribute(key, dialect):
            attributes.append(key)
            continue
        meaning = meaning_in(key, dialect)
        if meaning is None or meaning.field not in SENT or meaning.field in key_of:
            return None
        if ALIASES.get(key, key) != meaning.field:
            return None
        key_of[meaning.field] = key
    if "message" not in key_of:
        return None
    renames = tuple((key, field) for field, key in key_of.items() if key != field)
    scale = dialect.scale if dialect else None
    return Shape(key_of["message"], key_of.get("level", ""), renames, tuple(attributes), scale, keys, {})


def _is_attribute(name: str, dialect: Dialect | None) -> bool:
    """Whether a name means nothing but itself beside a message."""
    meaning = meaning_in(name, dialect)
    return (meaning is None or meaning.field == LAST_MESSAGE) and not (
        name.startswith("attributes.") or resource_key_of(name)
    )


def _flat_attributes(parsed: dict[str, Any], shape: Shape) -> Pairs | None:
    """The attributes with the values of objects in their place, if these are attributes too.

    Objects within objects are left to `event_of`.
    """
    signature = tuple([(name, *value) for name in shape.attributes if type(value := parsed[name]) is dict])
    try:
        flat = shape.flat[signature]
    except KeyError:
        flat = _flat_of(shape.keys, signature)
        remember(shape.flat, signature, flat, _FLAT_KEPT)
    if flat is None:
        return None
    found: Pairs = []
    names_of = iter(flat)
    for name in shape.attributes:
        value = parsed[name]
        if type(value) is dict:
            values = value.values()
            if dict in map(type, values):
                return None
            pairs = zip(next(names_of), values, strict=True)
            found += [pair for pair in pairs if pair[1] is not None] if None in values else pairs
        elif value is not None:
            found.append((name, value))
    return found


def _flat_of(keys: tuple[str, ...], signature: Signature) -> Flat | None:
    """The names of the values of each object, None if one of them means something or is there twice."""
    if any(len(inners) == 0 for _, *inners in signature):
        return None
    names = [f"{name}.{inner}" for name, *inners in signature for inner in inners]
    stored = [name.removeprefix("attributes.") for name in names]
    dialect = dialect_of(frozenset(keys))
    if (
        len(names) > _MOST_KEYS
        or dialect is not dialect_of({*keys, *names})
        or any(meaning_in(name, dialect) or resource_key_of(name) for name in names)
        or len({*keys, *stored}) < len(keys) + len(stored)
        or not SENT.keys().isdisjoint(stored)
    ):
        return None
    return tuple(
        tuple(f"{name}.{inner}".removeprefix("attributes.") for inner in inners) for name, *inners in signature
    )

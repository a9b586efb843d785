"""The attributes of plain objects: names that are worked out once for all events with the same keys. Pure."""

from collections.abc import Callable, Collection, Iterable, Sequence, Set
from operator import itemgetter
from typing import Any, Final

from app.domain.columns import ALIASES, SENT
from app.domain.keys import remember
from app.formats.dialects import dialect_of
from app.formats.json_access import may_be_access
from app.formats.json_plan import meaning_in
from app.formats.origin import resource_key_of

Attributes = tuple[Sequence[str], Collection[Any]]
"""Names, and in parallel values, of which those that are null do not count."""

NO_ATTRIBUTES: Final[Attributes] = ((), ())
MOST_KEYS: Final = 64
MOST_CHARS: Final = 4096  # of the keys of events that are remembered, so that long ones do not fill the memory

_FORMS_KEPT: Final = 64  # of a shape


class PlainAttributes:
    """The attributes of all events with the same keys, some of which may be objects without objects in them."""

    __slots__ = ("_flat", "_keys", "_names", "_values_of", "of")

    def __init__(self, keys: tuple[str, ...], names: tuple[str, ...]) -> None:
        """`names` are those of the keys that are attributes, one at least."""
        self._keys = keys
        self._names = names
        self._values_of: Callable[[dict[str, Any]], Any] = itemgetter(*names)  # one value, or a tuple of them
        # The names of the attributes by the keys of the objects among them, None if these have to be read one by one.
        self._flat: dict[tuple[Any, ...], Sequence[str] | None] = {}
        self.of = self._of_one if len(names) == 1 else self._of_several
        """The attributes of an event and its JSON; None if one is an object that has to be looked into."""

    def _of_one(self, parsed: dict[str, Any], text: bytes) -> Attributes | None:
        value = self._values_of(parsed)
        if type(value) is not dict:
            return self._names, (value,)
        inner = tuple(value)
        try:
            names = self._flat[inner]
        except KeyError:
            names = self._learn(inner, (inner,))
        values = value.values()
        return None if names is None or _hold_objects(values, text, 2) else (names, values)

    def _of_several(self, parsed: dict[str, Any], text: bytes) -> Attributes | None:
        values = self._values_of(parsed)
        if dict not in map(type, values):
            return self._names, values
        form = tuple([tuple(value) if type(value) is dict else None for value in values])
        try:
            names = self._flat[form]
        except KeyError:
            names = self._learn(form, form)
        if names is None:
            return None
        found: list[Any] = []
        for value in values:
            if type(value) is dict:
                found += value.values()
            else:
                found.append(value)
        return None if _hold_objects(found, text, 1 + len(values) - form.count(None)) else (names, found)

    def _learn(self, key: tuple[Any, ...], form: tuple[tuple[str, ...] | None, ...]) -> Sequence[str] | None:
        names = self.names_of(form)
        if sum(sum(map(len, inner)) for inner in form if inner) <= MOST_CHARS:
            remember(self._flat, key, names, _FORMS_KEPT)
        return names

    def names_of(self, form: tuple[tuple[str, ...] | None, ...]) -> Sequence[str] | None:
        """The names of all values; None if one of an object means something, or is there twice.

        `form` has for each attribute the keys of the object that it is, None for any other value.
        """
        if () in form or sum(len(inner) for inner in form if inner) > MOST_KEYS:
            return None
        names: list[str] = []
        leaves: list[str] = []
        for name, inner in zip(self._names, form, strict=True):
            if inner is None:
                names.append(name)
            else:
                found = [f"{name}.{leaf}" for leaf in inner]
                leaves += found
                names += [leaf.removeprefix("attributes.") for leaf in found]
        stored = {leaf.removeprefix("attributes.") for leaf in leaves}
        dialect = dialect_of(frozenset(self._keys))
        if (
            dialect is not dialect_of({*self._keys, *leaves})
            or any(meaning_in(leaf, dialect) or resource_key_of(leaf) for leaf in leaves)
            or len(stored | {*self._keys}) < len(leaves) + len(self._keys)
            or not SENT.keys().isdisjoint(stored)
            or self._may_have_a_status({*self._keys, *leaves})
        ):
            return None
        return tuple(names)

    def _may_have_a_status(self, names: Set[str]) -> bool:
        """Whether the level of such an event may be that of its HTTP status."""
        return "level" not in {ALIASES.get(key, key) for key in self._keys} and may_be_access(names)


def _hold_objects(values: Iterable[Any], text: bytes, known: int) -> bool:
    """Whether any value is an object; a text with no more braces than objects that are known holds no others."""
    return not 0 < text.count(b"{") <= known and dict in map(type, values)


def pairs_of(attributes: Attributes) -> list[tuple[str, Any]]:
    """Name and value of each attribute that has one."""
    return [pair for pair in zip(*attributes, strict=True) if pair[1] is not None]

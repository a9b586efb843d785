"""What the values of plain objects become, for compiled code: worked out once for all objects with the same keys. Pure.

The rules are those of `json_plain`: an object that keeps them becomes the row that is made of it there.
"""

from collections.abc import Iterator, Sequence
from enum import IntFlag
from typing import Final, NamedTuple

from app.domain.attribute_limits import DEFAULT_LIMITS, AttributeLimits
from app.domain.columns import SENT, Kind
from app.domain.level_scales import Scale
from app.domain.receipt import PREFIX
from app.formats.json_plain import Shape, level_text, shape_of

ATTRIBUTE: Final = -1
TIME: Final = -2
NUMBER: Final = -3

_TARGETS: Final = {Kind.TIME: TIME, Kind.NUMBER: NUMBER}
TEXT_FIELDS: Final = tuple(column.name for column in SENT.values() if column.kind not in _TARGETS)

Inner = tuple[str, ...] | None
"""The keys of the object that a key holds, None for any other value."""


class Rule(IntFlag):
    """What a value must be, or the object is not plain. The numbers are those of `native/src/plan.rs`."""

    NONE = 0
    MESSAGE = 1
    LEVEL = 2
    NO_SLASH = 4
    NOT_NULL = 8
    ONE_VALUE = 16
    MOMENT = 32


class Leaf(NamedTuple):
    """What becomes of a value: the number of its field in `TEXT_FIELDS`, or one of the numbers below 0."""

    target: int
    name: str
    """Of the attribute, else empty."""
    rules: int


class PlainPlan:
    """What the values of objects with the same keys become, in the order of the values."""

    def __init__(self, leaves: Sequence[Leaf], scale: Scale | None) -> None:
        self.leaves: Final = leaves
        self._scale = scale

    def level_text(self, value: object) -> str | None:
        """The text that is stored for a level, None if the object is not plain with it."""
        return level_text(value, self._scale) or None


def plan_of(
    keys: tuple[str, ...], inner: Sequence[Inner], limits: AttributeLimits = DEFAULT_LIMITS
) -> PlainPlan | None:
    """The plan of objects with these keys; None if they are not plain, or have names to look at.

    Those are names of attributes beyond the limits, or like those of receipts.
    """
    if any(len({*names}) < len(names) for names in (keys, *filter(None, inner))):
        return None  # of a key that is there twice the last value counts
    shape = shape_of(keys)
    if shape is None:
        return None
    fields = {key: field for field, key in shape.key_of.items()}
    form = tuple(of for key, of in zip(keys, inner, strict=True) if key not in fields)
    names = _names(shape, form)
    rules = _rules(shape)
    if names is None:
        return None
    leaves: list[Leaf] = []
    for key, of in zip(keys, inner, strict=True):
        rule = rules.get(key, Rule.NONE) | _of_all(shape)
        if key in fields:
            leaves.append(Leaf(_target(fields[key]), "", rule))
        elif of is None:
            leaves.append(Leaf(ATTRIBUTE, next(names), rule))
        else:
            leaves += [Leaf(ATTRIBUTE, next(names), Rule.NONE) for _ in of]
        if of is not None and (key in fields or Rule.ONE_VALUE in rule):
            return None
    if not _are_usual([leaf.name for leaf in leaves if leaf.target == ATTRIBUTE], limits):
        return None
    return PlainPlan(leaves, shape.more.scale if shape.more else None)


def _are_usual(names: Sequence[str], limits: AttributeLimits) -> bool:
    return len(names) <= limits.most and not any(
        len(name) > limits.name_chars or name.startswith(PREFIX) for name in names
    )


def _names(shape: Shape, form: tuple[Inner, ...]) -> Iterator[str] | None:
    """The names of all attributes, None if the keys of an object among them mean something."""
    if shape.attributes is None:
        return iter(())
    names = shape.attributes.names_of(form)
    return None if names is None else iter(names)


def _target(field: str) -> int:
    return TEXT_FIELDS.index(field) if field in TEXT_FIELDS else _TARGETS[SENT[field].kind]


def _of_all(shape: Shape) -> Rule:
    """The rule of all values on the first level."""
    return Rule.NOT_NULL if shape.more and shape.more.dialect else Rule.NONE


def _rules(shape: Shape) -> dict[str, Rule]:
    """The rules by the keys of values."""
    rules = {shape.message: Rule.MESSAGE, shape.level: Rule.LEVEL, shape.id: Rule.NO_SLASH}
    if shape.more is not None:
        rules |= dict.fromkeys(shape.more.other_ids, Rule.NO_SLASH)
        rules |= dict.fromkeys(shape.more.other_times, Rule.ONE_VALUE)
        if shape.more.other_times:
            rules[shape.more.time] = Rule.MOMENT
    rules.pop("", None)  # stands for a field that such objects lack, and can be the key of an attribute
    return rules

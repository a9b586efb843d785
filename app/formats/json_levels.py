"""The level of a JSON event: a name wins over a number, and a number counts on the scale of its event. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from app.domain.level_scales import Scale, severity_on, severity_on_any
from app.domain.severity import severity_of_level, severity_of_number

_NUMBER: Final = re.compile(r"\s{0,8}[+-]?\d{1,6}(?:\.0{1,3})?\s{0,8}", re.ASCII)

Values = Sequence[tuple[int, object]]
"""Values that are not empty, in the order of their precedence, with the numbers of their leaves."""


class Level(NamedTuple):
    """A level as its column stores it, OpenTelemetry's number if the event gives it, and the leaves it is made of."""

    text: object
    number: int
    taken: tuple[int, ...]


NO_LEVEL: Final = Level(None, 0, ())


def severity_of_value(value: object, scale: Scale | None) -> str:
    """The severity of a number, or of a text that spells one, "" for any other value."""
    number = whole_number(value)
    if number is None:
        return ""
    return severity_on(scale, number) if scale else severity_on_any(number)


def level_of(candidates: Values, numbers: Values, scale: Scale | None) -> Level:
    """The level of an event with these values of keys for levels, and for OpenTelemetry's numbers."""
    otel, taken = _otel_number(numbers)
    index, severity = _first_known(candidates, scale)
    if severity:
        if severity != severity_of_number(otel):
            otel = 0
        text = candidates[index][1]
        named = text if isinstance(text, str) and not _NUMBER.fullmatch(text) else severity
        return Level(named, otel, (candidates[index][0], *taken))
    if otel:
        return Level(candidates[0][1] if candidates else "", otel, (*(c[0] for c in candidates[:1]), *taken))
    return Level(candidates[0][1], 0, (candidates[0][0],)) if candidates else NO_LEVEL


def _first_known(candidates: Values, scale: Scale | None) -> tuple[int, str]:
    """The first name that is a level, else the first number that is one: its place, and its severity."""
    for known in (_names(candidates), _numbers(candidates, scale)):
        for place, severity in known:
            if severity:
                return place, severity
    return 0, ""


def _names(candidates: Values) -> Iterable[tuple[int, str]]:
    return ((place, severity_of_level(value)) for place, (_, value) in enumerate(candidates) if isinstance(value, str))


def _numbers(candidates: Values, scale: Scale | None) -> Iterable[tuple[int, str]]:
    for place, (_, value) in enumerate(candidates):
        yield place, severity_of_value(value, scale)


def whole_number(value: object) -> int | None:
    """The number that a value is or spells, if it may be a level."""
    if type(value) is int:
        return value
    if isinstance(value, str | float) and _NUMBER.fullmatch(str(value)):
        return int(float(value))
    return None


def _otel_number(numbers: Values) -> tuple[int, tuple[int, ...]]:
    """OpenTelemetry's number, which may come as the name of its constant."""
    for leaf, value in numbers:
        number = whole_number(value)
        if number is None and isinstance(value, str):
            number = _NAMED.get(value.upper().removeprefix("SEVERITY_NUMBER_"))
        if number is not None and 0 <= number <= 24:
            return number, (leaf,)
    return 0, ()


_NAMED: Final = {
    f"{name}{step or ''}": first + max(step - 1, 0)
    for first, name in ((1, "TRACE"), (5, "DEBUG"), (9, "INFO"), (13, "WARN"), (17, "ERROR"), (21, "FATAL"))
    for step in (0, 2, 3, 4)
}

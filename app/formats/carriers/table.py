"""All carriers that are JSON objects, in the order in which they are tried. A new one is a file and a name here."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Final

from app.formats.carriers import agents, cloudwatch, docker, envelopes, gelf, google, journald, loki, otlp
from app.formats.carriers.carried import Carried, Object

_MODULES: Final[tuple[ModuleType, ...]] = (otlp, cloudwatch, google, docker, journald, gelf, agents, envelopes, loki)
_CARRIERS: Final[tuple[tuple[frozenset[str], Callable[[Object], Sequence[Carried] | None]], ...]] = tuple(
    (frozenset(carrier.MARKS), carrier.opened) for carrier in _MODULES
)

MARKS: Final = frozenset().union(*(marks for marks, _ in _CARRIERS))
"""Keys of which every carrier has one; an object without any of them is an event."""


def opened(parsed: Object) -> Sequence[Carried] | None:
    """The events of the first carrier that knows this object, None if it is none."""
    if MARKS.isdisjoint(parsed):
        return None
    for marks, carrier in _CARRIERS:
        if not marks.isdisjoint(parsed) and (found := carrier(parsed)):
            return found
    return None

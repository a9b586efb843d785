"""All carriers that are JSON objects, in the order in which they are tried. A new one is a file and a name here."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Final

from app.formats.carriers import (
    agents,
    cloudwatch,
    datadog,
    docker,
    envelopes,
    gelf,
    google,
    journald,
    loki,
    otlp,
    splunk,
)
from app.formats.carriers.carried import Carried, Object, explained
from app.formats.reading import Reading

_MODULES: Final[Mapping[str, ModuleType]] = {
    "OTLP": otlp,
    "CloudWatch Logs": cloudwatch,
    "Cloud Logging": google,
    "container JSON": docker,
    "journald": journald,
    "GELF": gelf,
    "Datadog": datadog,
    "Splunk HEC": splunk,
    "agent": agents,
    "envelope": envelopes,
    "Loki": loki,
}
_CARRIERS: Final[tuple[tuple[str, frozenset[str], Callable[[Object, Reading], Sequence[Carried] | None]], ...]] = tuple(
    (name, frozenset(carrier.MARKS), carrier.opened) for name, carrier in _MODULES.items()
)

MARKS: Final = frozenset().union(*(marks for _, marks, _ in _CARRIERS))
"""Keys of which every carrier has one; an object without any of them is an event."""


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """The events of the first carrier that knows this object, None if it is none."""
    if MARKS.isdisjoint(parsed):
        return None
    for name, marks, carrier in _CARRIERS:
        if not marks.isdisjoint(parsed) and (found := carrier(parsed, reading)):
            return [explained(part, name) for part in found] if reading.explains else found
    return None

"""Envelopes of events: CloudTrail, Azure Monitor, Kubernetes' audit, Kafka Connect, Splunk's collector."""

from collections.abc import Sequence
from typing import Final

from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("Records", "records", "items", "payload", "event")
_OF_LISTS: Final = {
    "Records": frozenset(("eventVersion", "eventTime")),
    "records": frozenset(("operationName", "category", "resourceId", "time")),
    "items": frozenset(("auditID", "stageTimestamp")),
}
_OF_SPLUNK: Final = frozenset(("sourcetype", "index"))


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """The events of a list, of which one has keys that such events have, or the one of a wrapper."""
    for name, keys in _OF_LISTS.items():
        events = parsed.get(name)
        if isinstance(events, list) and events and all(isinstance(event, dict) for event in events):
            if keys.isdisjoint(events[0]):
                continue
            return [Carried(known(parsed, reading, name, "kind", "apiVersion"), event) for event in events]
    if parsed.keys() == {"schema", "payload"}:
        return _one(parsed, reading, "payload", "schema")
    if "event" in parsed and not _OF_SPLUNK.isdisjoint(parsed):
        return _one(parsed, reading, "event")
    return None


def _one(parsed: Object, reading: Reading, name: str, *without: str) -> Sequence[Carried] | None:
    value = parsed[name]
    inner = value if isinstance(value, dict) and value else text_inside(value)
    return [Carried(known(parsed, reading, name, *without), inner)] if inner else None

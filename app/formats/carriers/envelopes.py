"""Envelopes of events: CloudTrail, Azure Monitor, Kafka Connect, Elasticsearch, SNS, Lambda's telemetry."""

from collections.abc import Sequence
from typing import Final

from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("Records", "records", "items", "payload", "_source", "TopicArn", "record")
_OF_LISTS: Final = {
    "Records": frozenset(("eventVersion", "eventTime")),
    "records": frozenset(("operationName", "category", "resourceId", "time")),
    "items": frozenset(("auditID", "stageTimestamp")),
}
_OF_TELEMETRY: Final = {"time", "type", "record"}
_OF_ELASTICSEARCH: Final = frozenset(("_index", "_id"))


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
    if "_source" in parsed and not _OF_ELASTICSEARCH.isdisjoint(parsed):
        return _one(parsed, reading, "_source")
    if "TopicArn" in parsed and "Message" in parsed:
        return _one(parsed, reading, "Message")
    if parsed.keys() == _OF_TELEMETRY and parsed["type"] in ("function", "extension"):
        return _one(parsed, reading, "record")
    return None


def _one(parsed: Object, reading: Reading, name: str, *without: str) -> Sequence[Carried] | None:
    value = parsed[name]
    inner = value if isinstance(value, dict) and value else text_inside(value)
    return [Carried(known(parsed, reading, name, *without), inner)] if inner else None

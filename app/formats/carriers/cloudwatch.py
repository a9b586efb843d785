"""CloudWatch Logs, as a subscription sends them: several events of one stream."""

from collections.abc import Sequence
from typing import Any, Final

from app.domain.event import Event
from app.formats.carriers.carried import Carried, Object, text_inside
from app.formats.reading import Reading

MARKS: Final = ("logEvents",)


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"logGroup": ..., "logStream": ..., "logEvents": [{"id": ..., "timestamp": ..., "message": ...}]}."""
    events = parsed["logEvents"]
    if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
        return None
    names = {"logGroup": "aws.log.group.names", "logStream": "aws.log.stream.names", "owner": "cloud.account.id"}
    resource = [(key, parsed[name]) for name, key in names.items() if parsed.get(name)]
    return [_carried(event, resource) for event in events]


def _carried(event: Object, resource: list[tuple[str, Any]]) -> Carried:
    line = text_inside(event.get("message"))
    rest = [(name, value) for name, value in event.items() if name not in ("timestamp", "message", "id")]
    outer = Event({"timestamp": event.get("timestamp"), "message": line}, rest, list(resource))
    if event.get("id"):
        outer.attributes.append(("aws.log.event.id", event["id"]))
    return Carried(outer, line or None)

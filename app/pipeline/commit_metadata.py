"""The metadata of a committed offset in Kafka: the topic's id and the open lease, as one line of JSON. Pure."""

import json
from typing import NamedTuple

from app.domain.records import LastRecord, Lease

_VERSION = 1


class Remembered(NamedTuple):
    """The metadata of one of our commits."""

    topic_id: str
    lease: Lease | None


def write_metadata(topic_id: str, lease: Lease | None) -> str:
    """The metadata as JSON, well under the 4096 bytes that Kafka takes (`offset.metadata.max.bytes`)."""
    fields: dict[str, object] = {"v": _VERSION, "topic": topic_id}
    if lease is not None:
        fields["lease"] = [lease.token, lease.deadline_ms, lease.end, *lease.last_record]
    return json.dumps(fields, separators=(",", ":"))


def read_metadata(text: str) -> Remembered | None:
    """Parse what `write_metadata` wrote; None for anything else: then the offset was set by another client."""
    try:
        fields = json.loads(text)
        if fields["v"] != _VERSION:
            return None
        return Remembered(str(fields["topic"]), _lease(fields["lease"]) if "lease" in fields else None)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _lease(fields: list[object]) -> Lease:
    token, deadline_ms, end, last_offset, last_crc = fields
    return Lease(str(token), _whole(deadline_ms), _whole(end), LastRecord(_whole(last_offset), _whole(last_crc)))


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value

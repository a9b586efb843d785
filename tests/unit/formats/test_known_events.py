"""Events whose rows are known: our own, and those of a collection, which are skipped where it is absent.

An item is a line of JSON. `event` (an object or a list), `value` (text) or `hex` is the record, `headers` are its
headers. The other keys are what its first row must say; of a list any will do. `contains` is a part of the body, an
empty `time` the one of the record, and `problem` why the row is flagged.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from app.domain.event_time import EventTimeBounds, read_time_ns
from app.domain.records import Partition, RecordChunk
from app.pipeline.decode import decode
from local.paths import ROOT

OWN = Path(__file__).with_name("known_events.jsonl")
COLLECTION = Path(os.environ.get("FORMATS_DIR") or ROOT.parent / "shared" / "data" / "formats") / "events.jsonl"
RECORD_TIME = "2026-11-29T10:20:00Z"
LATE = "2026-11-29T22:20:00Z"  # some times without a zone of the collection are of the evening
BOUNDS = EventTimeBounds.of_retention(30)


def items(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.is_file() else []


def record_of(item: dict[str, Any]) -> bytes:
    if "hex" in item:
        return bytes.fromhex(item["hex"])
    return str(item["value"]).encode() if "value" in item else json.dumps(item["event"]).encode()


def rows_of(item: dict[str, Any], record_time: str) -> list[dict[str, Any]]:
    headers = [(name, value.encode()) for name, value in item.get("headers", {}).items()]
    time_ms = int(datetime.fromisoformat(record_time).timestamp()) * 1000
    chunk = RecordChunk(Partition("logs", 0), "topic-1", [0], [time_ms], [record_of(item)], [headers], 1)
    rows = decode(chunk, BOUNDS).rows
    index = rows.schema.get_field_index("Timestamp")
    found: list[dict[str, Any]] = rows.set_column(index, "Timestamp", rows["Timestamp"].cast(pa.int64())).to_pylist()
    return found


def differences(item: dict[str, Any], record_time: str) -> dict[str, Any]:
    """What the rows of an item say, where it is not what is known."""
    rows = rows_of(item, record_time)
    row, resource = rows[0], dict(rows[0]["ResourceAttributes"])
    attributes = {**dict(row["LogAttributes"]), **resource}
    found = {
        "time": row["Timestamp"],
        "severity": row["SeverityText"] if row["SeverityNumber"] else "",
        "service": row["ServiceName"],
        "host": resource.get("host.name", ""),
        "pid": attributes.get("process.pid", ""),
        "user_id": row["UserId"],
        "body": row["Body"],
        "contains": part if (part := item.get("contains", "")) in row["Body"] else row["Body"],
        "trace_id": row["TraceId"],
        "span_id": row["SpanId"],
        "rows": len(rows),
        "problem": row["ParseError"],
        "attributes": {name: attributes.get(name) for name in item.get("attributes", {})},
    }
    known = {name: item[name] for name in found if item.get(name) is not None}
    if "time" in known:
        known["time"] = read_time_ns(known["time"] or record_time)
    return {
        name: found[name]
        for name, value in known.items()
        if found[name] not in (value if isinstance(value, list) else [value])
    }


@pytest.mark.parametrize("item", items(OWN), ids=lambda item: item["name"])
def test_an_event_becomes_the_row_that_is_known(item: dict[str, Any]) -> None:
    assert differences({"problem": "", **item}, RECORD_TIME) == {}


@pytest.mark.skipif(not COLLECTION.is_file(), reason=f"no {COLLECTION}; FORMATS_DIR says where it is")
@pytest.mark.parametrize("item", items(COLLECTION), ids=lambda item: item["name"])
def test_an_event_of_the_collection_becomes_the_row_that_is_known(item: dict[str, Any]) -> None:
    assert differences(item, LATE) == {}


def test_there_are_events_of_many_kinds() -> None:
    assert len(items(OWN)) >= 300

"""Lines of a collection whose right values are known. Skipped where the data is absent."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.event_time import read_time_ns
from app.formats.reading import Reading
from local.paths import ROOT
from tests.support.events import only_event

FILE = Path(os.environ.get("FORMATS_DIR") or ROOT.parent / "shared" / "data" / "formats") / "formats.jsonl"
READING = Reading.of_record(int(datetime(2026, 11, 29, 10, 20, tzinfo=UTC).timestamp()) * 1000)

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no {FILE}; FORMATS_DIR says where it is")


def items() -> list[dict[str, Any]]:
    return [json.loads(row) for row in FILE.read_text(encoding="utf-8").splitlines()] if FILE.is_file() else []


@pytest.mark.parametrize("item", items(), ids=lambda item: item["format"])
def test_a_line_says_what_is_known_of_it(item: dict[str, Any]) -> None:
    event = only_event(item["line"].encode(), READING)
    found: dict[str, Any] = {
        "time": event.fields.get("timestamp"),
        "severity": event.fields.get("level", ""),
        "service": event.fields.get("service", ""),
        "host": event.fields.get("host", ""),
        "pid": dict([*event.attributes, *event.resource]).get("process.pid", ""),
    }
    known = {name: item[name] for name in found if item[name] is not None}
    if "time" in known:
        known["time"] = read_time_ns(known["time"])

    assert {name: found[name] for name in known} == known

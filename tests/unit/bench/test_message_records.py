"""The kinds of messages have the sizes and the forms that their names say."""

from __future__ import annotations

import json

import pytest

from app.domain.receipt import HEADER, MAC_HEADER
from bench.message_records import MESSAGE_KINDS, Record

_KINDS = {kind.name: kind for kind in MESSAGE_KINDS}


def records_of(name: str, events: int) -> list[Record]:
    return list(_KINDS[name].records(events))


@pytest.mark.parametrize(("name", "size_bytes"), [("JSON, 60 B", 60), ("JSON, 2 KB", 2_000), ("JSON, 20 KB", 20_000)])
def test_json_has_its_size(name: str, size_bytes: int) -> None:
    values = [value for value, _ in records_of(name, 20)]

    assert len(values) == 20
    assert all(abs(len(value) - size_bytes) <= 0.05 * size_bytes for value in values)
    assert all(json.loads(value)["message"] for value in values)


def test_long_messages_have_many_lines_and_differ() -> None:
    messages = [json.loads(value)["message"] for value, _ in records_of("JSON, 2 KB", 20)]

    assert len(set(messages)) == 20
    assert all(message.count("\n") > 10 for message in messages)


def test_records_of_the_receiver_are_packed_and_have_receipts() -> None:
    records = records_of("OTLP, as received", 1_500)

    assert len(records) < 100
    assert all({HEADER, MAC_HEADER} <= dict(headers).keys() for _, headers in records)

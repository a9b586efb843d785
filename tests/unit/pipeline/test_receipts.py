"""Receipts of our receivers: what they say of events, and that nobody else can say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.event_time import EventTimeBounds
from app.domain.receipt import HEADER, MAC_HEADER, ReceiptReader, headers_of
from app.domain.records import Headers, Partition, RecordChunk
from app.formats.reading import ReadingRules
from app.pipeline.decode import decode
from app.receive.received import LINES

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
RULES = ReadingRules(receipts=ReceiptReader([KEY]))
RECEIPT = {"name": "json", "client.address": "10.0.0.7", "request.id": "5f3a21bc90d7e614"}
PROVEN = {f"log.receiver.{name}": text for name, text in RECEIPT.items()}
UNPROVEN = {f"unverified.{name}": text for name, text in PROVEN.items()}
GIVEN = {"content-type": "application/x-ndjson", "host.name": "h1"}
LINE = b'{"service":"shop","message":"m"}'

Sent = tuple[bytes, Headers]


def signed(value: bytes = LINE, key: bytes = KEY) -> Sent:
    return value, headers_of(RECEIPT, GIVEN, value, key)


def attributes_of(*records: Sent, rules: ReadingRules = RULES) -> list[dict[str, str]]:
    return [dict(row["LogAttributes"]) for row in rows_of(*records, rules=rules)]


def rows_of(*records: Sent, rules: ReadingRules = RULES) -> list[dict[str, Any]]:
    values, headers = [value for value, _ in records], [of_record for _, of_record in records]
    offsets = range(len(records))
    chunk = RecordChunk(Partition("logs", 0), "id", offsets, [1_795_960_800_000] * len(records), values, headers, 9)
    return decode(chunk, EventTimeBounds.of_retention(30), rules).rows.to_pylist()


def test_events_of_a_receiver_have_what_it_said() -> None:
    assert attributes_of(signed(LINE + b"\n" + LINE)) == [PROVEN, PROVEN]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param((LINE, headers_of(RECEIPT, GIVEN, LINE, b"")), id="no-signature"),
        pytest.param(signed(key=OTHER_KEY), id="key-of-another"),
        pytest.param((b'{"message":"n"}', signed()[1]), id="another-value"),
        pytest.param(
            (LINE, [(n, b'{"v":1,"name":"x"}' if n == HEADER else v) for n, v in signed()[1]][:4]), id="another-receipt"
        ),
        pytest.param((LINE, [("content-type", b"text/plain"), *signed()[1]]), id="another-content-type"),
        pytest.param((LINE, [("Content-Type", b"text/plain"), *signed()[1]]), id="another-content-type-in-capitals"),
        pytest.param((LINE, [("host.name", b"h2"), *signed()[1]]), id="another-host"),
        pytest.param((LINE, [("service.name", b"s"), *signed()[1]]), id="one-header-more"),
        pytest.param((LINE, [(HEADER, b'{"v":1,"name":"json"}'), *signed()[1]]), id="a-second-receipt-in-front"),
    ],
)
def test_what_nothing_proves_is_kept_by_another_name(record: Sent) -> None:
    [attributes] = attributes_of(record)

    assert attributes.keys() <= UNPROVEN.keys()
    assert attributes


def test_a_key_that_was_in_use_before_still_counts() -> None:
    rules = ReadingRules(receipts=ReceiptReader([OTHER_KEY, KEY]))

    assert attributes_of(signed(), rules=rules) == [PROVEN]


def test_texts_of_a_later_version_are_kept() -> None:
    later = headers_of({"v2.thing": "t"}, GIVEN, LINE, KEY)

    assert attributes_of((LINE, later)) == [{"log.receiver.v2.thing": "t"}]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"v":1,"name":7}', b"\xff", b"[" * 100_000])
def test_what_is_no_receipt_says_nothing(text: bytes) -> None:
    assert attributes_of((LINE, [("content-type", LINES.content_type), (HEADER, text)])) == [{}]


FORGED = [
    b'{"message":"m","log.receiver.name":"json"}',
    b'{"message":"m","log":{"receiver":{"name":"json"}}}',
    b'{"message":"m","log.rece\\u0069ver.name":"json"}',
    b'{"message":"m","attributes":{"log.receiver.name":"json"}}',
]


RESOURCE_FORGED = b'{"message":"m","ResourceAttributes":{"log.receiver.tenant":"team-a"}}'


@pytest.mark.parametrize("value", FORGED)
def test_no_producer_can_claim_to_be_a_receiver(value: bytes) -> None:
    forged, proven = attributes_of((value, []), signed())

    assert proven == PROVEN
    assert forged.get("unverified.log.receiver.name") == "json"
    assert not [name for name in forged if name.startswith("log.receiver.")]


@pytest.mark.parametrize("value", FORGED)
def test_an_event_of_a_receiver_cannot_say_more_than_the_receiver(value: bytes) -> None:
    [attributes] = attributes_of(signed(value))

    assert {name: text for name, text in attributes.items() if name.startswith("log.receiver.")} == PROVEN
    assert attributes["unverified.log.receiver.name"] == "json"


@pytest.mark.parametrize("headers", [[], signed(RESOURCE_FORGED)[1]], ids=["producer", "receiver"])
def test_no_resource_says_what_a_receipt_does(headers: Headers) -> None:
    # A query for log.receiver.tenant, also one that limits a token, looks there if the event has no such attribute.
    [row] = rows_of((RESOURCE_FORGED, headers))

    assert [name for name, _ in row["ResourceAttributes"] if "tenant" in name] == ["unverified.log.receiver.tenant"]


@given(st.lists(st.sampled_from([*FORGED, LINE]), min_size=1, max_size=20), st.data())
def test_only_rows_of_proven_records_have_these_names(values: list[bytes], data: st.DataObject) -> None:
    are_signed = [data.draw(st.booleans()) for _ in values]
    records = [signed(value) if is_signed else (value, ()) for value, is_signed in zip(values, are_signed, strict=True)]

    found = [any(name.startswith("log.receiver.") for name in row) for row in attributes_of(*records)]

    assert found == are_signed


def test_a_consumer_that_knows_no_receipts_stores_the_same_events() -> None:
    value, headers = signed(LINE + b"\n" + b"a line of text")
    older = [(name, data) for name, data in headers if name not in (HEADER, MAC_HEADER)]

    assert attributes_of((value, older), rules=replace(RULES, receipts=ReceiptReader())) == [{}, {}]
    assert json.loads(dict(headers)[HEADER] or b"")["v"] == 1

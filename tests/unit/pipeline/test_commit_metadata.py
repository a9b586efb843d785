"""Commit metadata: written, parsed, and distinguished from that of other clients."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import LastRecord, Lease
from app.pipeline.commit_metadata import Remembered, read_metadata, write_metadata

KAFKA_LIMIT_BYTES = 4096  # default of offset.metadata.max.bytes
MAX_INT64 = 2**63 - 1
TOPIC_ID = "x" * 22  # 16 bytes in base64, as Kafka writes the id of a topic
TOKEN = "0123456789abcdef" * 2

whole_numbers = st.integers(0, MAX_INT64)
leases = st.builds(
    Lease,
    token=st.text(max_size=40),
    deadline_ms=whole_numbers,
    end=whole_numbers,
    last_record=st.builds(LastRecord, offset=whole_numbers, crc=st.integers(0, 2**32 - 1)),
)


@given(topic_id=st.text(max_size=40), lease=st.none() | leases)
def test_written_metadata_can_be_parsed(topic_id: str, lease: Lease | None) -> None:
    assert read_metadata(write_metadata(topic_id, lease)) == Remembered(topic_id, lease)


@given(lease=leases)
def test_it_is_one_line_that_every_tool_can_show(lease: Lease) -> None:
    text = write_metadata(TOPIC_ID, lease)

    assert text.isascii()
    assert text.isprintable()


def test_the_longest_is_far_below_what_kafka_takes() -> None:
    longest = Lease(TOKEN, MAX_INT64, MAX_INT64, LastRecord(MAX_INT64, 2**32 - 1))

    text = write_metadata(TOPIC_ID, longest)

    assert len(text.encode()) <= 512 < KAFKA_LIMIT_BYTES


@given(st.text())
def test_text_that_others_wrote_is_not_ours(text: str) -> None:
    assert read_metadata(text) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["v", "topic", "lease"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_json_that_others_wrote_is_read_without_a_fault(value: object) -> None:
    read_metadata(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[1]",
        '"v"',
        "4bf92f3577b34da6a3ce92",  # the id of a topic alone
        "[" * KAFKA_LIMIT_BYTES,
        '{"v":2,"topic":"t"}',  # a later version
        '{"topic":"t"}',
        '{"v":1}',
        '{"v":1,"topic":"t","lease":null}',
        '{"v":1,"topic":"t","lease":[]}',
        '{"v":1,"topic":"t","lease":["token",1,2,3]}',
        '{"v":1,"topic":"t","lease":["token",1,2,3,4,5]}',
        '{"v":1,"topic":"t","lease":["token",1.5,2,3,4]}',
        '{"v":1,"topic":"t","lease":["token","1",2,3,4]}',
        '{"v":1,"topic":"t","lease":["token",true,2,3,4]}',
    ],
)
def test_metadata_that_cannot_be_parsed_completely_is_not_ours(text: str) -> None:
    assert read_metadata(text) is None

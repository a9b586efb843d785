"""Events of a request in few records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.receive.packing import MAX_EVENTS_OF_RECORD, PACKED_BYTES, packed
from app.receive.received import LINES, TEXT, Piece, Problem, Received


def received(values: list[bytes]) -> Received:
    return Received(LINES, [Piece(number, value) for number, value in enumerate(values)])


@given(st.lists(st.binary(min_size=1, max_size=60).filter(lambda value: b"\n" not in value)), st.integers(1, 80))
def test_every_event_is_in_a_record_once_and_in_order_or_is_a_problem(values: list[bytes], most_bytes: int) -> None:
    found = packed(received(values), most_bytes)

    assert all(0 < len(value) <= most_bytes for _, value in found.records)
    assert [line for _, value in found.records for line in value.split(b"\n")] == [
        value for value in values if len(value) <= most_bytes
    ]
    assert [problem.event for problem in found.problems] == [
        number for number, value in enumerate(values) if len(value) > most_bytes
    ]


def test_a_request_takes_as_few_records_as_fit() -> None:
    assert len(packed(received([b"x" * 100] * 1000), 1_000_000).records) == 1
    assert len(packed(received([b"x" * 1000] * 1000), 1_000_000).records) == -(-1000 // (PACKED_BYTES // 1001))


def test_no_record_has_more_events_than_the_consumer_reads_out() -> None:
    assert [
        value.count(b"\n") + 1 for _, value in packed(received([b"x"] * (MAX_EVENTS_OF_RECORD + 1)), 1_000_000).records
    ] == [
        MAX_EVENTS_OF_RECORD,
        1,
    ]


def test_events_that_stay_together_are_refused_together() -> None:
    whole = Received(LINES, [Piece(0, b"x"), Piece(1, b"y" * 90, events=2), Piece(3, b"z")])

    found = packed(whole, 50)

    reason = "larger than a record may be (50 bytes)"
    assert found.problems == [Problem(1, reason), Problem(2, reason)]
    assert found.records == [(LINES, b"x\nz")]


def test_an_event_of_several_lines_is_a_record_of_its_own() -> None:
    pieces = [
        Piece(0, b"a"),
        Piece(1, b"b\nc", form=TEXT),
        Piece(2, b"d\ne", form=TEXT),
        Piece(3, b"f"),
        Piece(4, b"g"),
    ]

    found = packed(Received(LINES, pieces), 1000)

    assert found.records == [(LINES, b"a"), (TEXT, b"b\nc"), (TEXT, b"d\ne"), (LINES, b"f\ng")]

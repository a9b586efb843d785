"""Refused rows are isolated, flagged, and finally halt their partition."""

from __future__ import annotations

import json

from app.domain.reader import REST_ITEM
from app.domain.records import Partition
from app.domain.rows import concatenate
from app.errors import Refused, TryAgainLater
from app.pipeline.delivery import Delivered
from tests.support.sample_rows import sample_batch, sample_record, sample_rows, without_offsets
from tests.unit.pipeline.delivery.setup import DOUBTFUL, DOWN, P0, P1, UNKNOWN, Setup, body_is, offset_is


def test_a_refused_row_is_flagged_and_its_neighbours_are_stored_as_they_are(setup: Setup) -> None:
    setup.table.refuses = body_is("5")

    delivered = setup.deliver(sample_batch(sample_rows(8)))

    rows = sorted(setup.table.rows(), key=lambda row: row["_offset"])
    assert [row["Body"] for row in rows] == ["0", "1", "2", "3", "4", "", "6", "7"]
    assert [row["ParseError"] for row in rows if row["ParseError"]] == ["refused: ClickHouse error 27"]
    assert b'"Body": "5"' in rows[5]["_raw"]
    assert delivered == Delivered({P0: 8}, {})


def test_a_refused_batch_is_halved_and_not_sent_row_by_row(setup: Setup) -> None:
    setup.table.refuses = body_is("700")

    setup.deliver(sample_batch(sample_rows(1024)))

    assert setup.table.offsets() == list(range(1024))
    assert len(setup.table.tokens) == 1 + 2 * 10 + 1  # the whole, two halves ten times over, the flagged row


def test_several_refused_rows_are_each_flagged(setup: Setup) -> None:
    setup.table.refuses = body_is("0", "3", "4", "6")

    setup.deliver(sample_batch(sample_rows(7)))

    assert setup.table.offsets() == list(range(7))
    assert sum(row["ParseError"] != "" for row in setup.table.rows()) == 4


def test_the_halves_of_a_refused_batch_do_not_store_rows_of_an_earlier_instance_again(setup: Setup) -> None:
    setup.store_earlier(sample_rows(4))
    setup.table.refuses = body_is("6")

    setup.deliver(sample_batch(sample_rows(8), may_be_stored=True))

    assert setup.table.offsets() == list(range(8))


def test_the_halves_of_a_refused_batch_do_not_split_a_record_that_another_version_stored_in_part(setup: Setup) -> None:
    setup.store_earlier(sample_record(0, 2).slice(1))
    setup.table.refuses = body_is("7")

    setup.deliver(sample_batch(concatenate([sample_record(0, 3), sample_rows(2, first_offset=6)]), may_be_stored=True))

    stored = [(place.offset, place.item) for place in setup.table.identities()]
    assert stored == [(0, 1), (0, REST_ITEM), (6, 0), (7, 0)]
    [held] = [json.loads(row["_raw"]) for row in setup.table.rows() if row["_item"] == REST_ITEM]
    assert [row["Body"] for row in held] == ["0", "1", "2"]


def test_a_refusal_after_an_unknown_outcome_does_not_store_rows_twice(setup: Setup) -> None:
    rows = sample_rows(8)
    setup.table.next_insert(UNKNOWN)
    setup.table.refuses = body_is("6")

    def store_a_part() -> None:
        if not setup.table.blocks:
            setup.store_earlier(without_offsets(rows, [5, 6, 7]))

    setup.deliver(sample_batch(rows), meanwhile=store_a_part)

    assert setup.table.offsets() == list(range(8))


def test_rows_of_other_days_that_a_refused_insert_stored_are_not_stored_again(setup: Setup) -> None:
    rows = sample_rows(8)
    setup.table.next_insert(Refused("a row is refused", code="27"))

    def store_one_day() -> None:
        if not setup.table.blocks:
            setup.table.blocks.append(without_offsets(rows, range(4)))

    setup.table.meanwhile = store_one_day

    setup.deliver(sample_batch(rows))

    assert setup.table.offsets() == list(range(8))


def test_a_flagged_row_that_was_stored_without_a_response_is_not_stored_twice(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["Body"] == "0"
    setup.table.next_insert(Refused("a row is refused", code="27"))
    setup.table.next_insert(UNKNOWN, stores=True)

    setup.deliver(sample_batch(sample_rows(1)))

    assert setup.table.offsets() == [0]


def test_a_row_that_is_refused_in_every_form_halts_its_partition_there(setup: Setup) -> None:
    setup.table.refuses = offset_is(3)

    delivered = setup.deliver(sample_batch(sample_rows(6), sample_rows(4, partition=1)))

    assert delivered.next_offsets == {P0: 3, P1: 4}
    assert "offset 3" in delivered.halted[P0]
    assert setup.table.offsets(0) == [0, 1, 2]
    assert setup.table.offsets(1) == [0, 1, 2, 3]


def test_two_partitions_can_halt_in_one_batch(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["_offset"] == 1 and row["_partition"] < 2

    delivered = setup.deliver(sample_batch(*(sample_rows(4, partition=number) for number in range(3))))

    assert delivered.next_offsets == {P0: 1, P1: 1, Partition("logs", 2): 4}
    assert delivered.halted.keys() == {P0, P1}
    assert [setup.table.offsets(number) for number in range(3)] == [[0], [0], [0, 1, 2, 3]]


def test_rows_of_a_halted_partition_further_on_in_the_batch_are_not_stored(setup: Setup) -> None:
    setup.table.refuses = offset_is(1)
    parts = sample_rows(2), sample_rows(2, partition=1), sample_rows(2, first_offset=2)

    delivered = setup.deliver(sample_batch(*parts))

    assert delivered.next_offsets == {P0: 1, P1: 2}
    assert setup.table.offsets(0) == [0]
    assert setup.table.offsets(1) == [0, 1]


def test_a_refusal_that_may_be_the_servers_fault_is_first_tried_again(setup: Setup) -> None:
    setup.table.next_insert(DOUBTFUL)
    setup.table.next_insert(DOUBTFUL)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_lasting_refusal_leads_to_smaller_inserts(setup: Setup) -> None:
    for _ in range(3):
        setup.table.next_insert(DOUBTFUL)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [2, 2]


def test_other_failures_do_not_count_towards_a_refusal(setup: Setup) -> None:
    for error in (DOWN, DOWN, DOUBTFUL, DOWN, DOUBTFUL, DOUBTFUL):
        setup.table.next_insert(error)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_row_is_not_flagged_for_what_may_be_the_servers_fault(setup: Setup) -> None:
    for _ in range(40):
        setup.table.next_insert(DOUBTFUL)

    delivered = setup.deliver(sample_batch(sample_rows(2)))

    assert [row["ParseError"] for row in setup.table.rows()] == ["", ""]
    assert setup.table.offsets() == [0, 1]
    assert delivered == Delivered({P0: 2}, {})


def test_inserts_that_come_too_late_again_and_again_flag_no_row(setup: Setup) -> None:
    for _ in range(30):
        setup.table.next_insert(TryAgainLater("the insert came too late", code="469", max_attempts=8))

    setup.deliver(sample_batch(sample_rows(4)))

    assert setup.table.offsets() == [0, 1, 2, 3]
    assert [row["ParseError"] for row in setup.table.rows()] == [""] * 4

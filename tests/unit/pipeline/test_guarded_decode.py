"""A mistake in a reader costs the fields of one record; all others are stored as ever."""

from functools import partial

import pytest
from msgspec.structs import replace

from app.domain.event_time import EventTimeBounds
from app.domain.masking.masking import Masking
from app.domain.masking.rule import Rule
from app.domain.records import RecordChunk
from app.formats.reading import ReadingRules
from app.pipeline.decode import decode, rows_of
from app.pipeline.decoded import Decoded
from app.pipeline.guarded_decode import WITHHELD, decoder_of, guarded
from tests.unit.pipeline.test_decode import as_dicts, chunk_of

BOUNDS = EventTimeBounds.of_retention(30)
POISON = b'{"message": "the reader stumbles"}'
OTHERS = (b'{"message": "one"}', b"two", b'[{"message": "three"}, {"message": "four"}]')

rows_by_bounds = partial(rows_of, bounds=BOUNDS, reader="r1")


def stumbling(chunk: RecordChunk) -> Decoded:
    """Decodes like the real one, but for one record."""
    if POISON in chunk.values:
        raise KeyError("header")
    return decode(chunk, BOUNDS, reader="r1")


def test_a_record_whose_reading_raises_is_a_flagged_row_with_its_bytes() -> None:
    values = [OTHERS[0], POISON, *OTHERS[1:]]
    decoded = guarded(stumbling, stumbling, rows_by_bounds, rows_by_bounds)(chunk_of(values))

    rows = as_dicts(decoded.rows)
    assert [(row["_offset"], row["_item"], row["Body"]) for row in rows] == [
        (100, 0, "one"),
        (101, 0, '{"message": "the reader stumbles"}'),
        (102, 0, "two"),
        (103, 0, "three"),
        (103, 1, "four"),
    ]
    assert rows[1]["_raw"] == POISON
    assert rows[1]["ParseError"].startswith("failed: reading raised KeyError in test_guarded_decode.py:")
    assert rows[1]["_reader"] == "r1"
    assert decoded.problems == {"failed": 1}


def stumbling_rule(text: str) -> tuple[str, int]:
    """Masks nothing, and raises for one record: its message and its JSON, which is kept when reading has failed."""
    if "stumbles" in text:
        raise IndexError(text)
    return text, 0


def test_a_record_whose_masking_raises_is_a_flagged_row_without_its_content() -> None:
    rules = ReadingRules(masking=Masking([Rule("any", ".", stumbling_rule)]))

    chunk = replace(chunk_of([OTHERS[0], POISON, OTHERS[1]]), keys=[None, b"stumbles", None])
    decoded = decoder_of(BOUNDS, rules, "r1")(chunk)

    rows = as_dicts(decoded.rows)
    assert [(row["_offset"], row["Body"]) for row in rows] == [(100, "one"), (101, WITHHELD), (102, "two")]
    assert rows[1]["ParseError"].startswith("withheld: masking raised IndexError in test_guarded_decode.py:")
    assert "stumbles" not in repr(decoded.rows.to_pylist())
    assert decoded.problems == {"withheld": 1}


def test_the_same_record_gives_the_same_row_again() -> None:
    decoder = guarded(stumbling, stumbling, rows_by_bounds, rows_by_bounds)
    assert decoder(chunk_of([POISON])).rows.equals(decoder(chunk_of([POISON])).rows)


def test_a_chunk_without_a_mistake_is_decoded_once_and_whole() -> None:
    chunk = chunk_of(OTHERS)
    assert guarded(stumbling, stumbling, rows_by_bounds, rows_by_bounds)(chunk).rows.equals(
        decode(chunk, BOUNDS, reader="r1").rows
    )


def test_decoded_one_by_one_other_records_are_the_rows_that_they_are_together() -> None:
    chunk = chunk_of([*OTHERS, POISON])
    rows = guarded(stumbling, stumbling, rows_by_bounds, rows_by_bounds)(chunk).rows
    assert rows.slice(0, rows.num_rows - 1).equals(decode(chunk_of(OTHERS), BOUNDS, reader="r1").rows)


def test_too_little_memory_is_no_mistake_of_a_reader() -> None:
    def exhausted(chunk: RecordChunk) -> Decoded:
        raise MemoryError

    with pytest.raises(MemoryError):
        guarded(exhausted, exhausted, rows_by_bounds, rows_by_bounds)(chunk_of([POISON]))


def test_decoded_one_by_one_records_keep_their_own_keys() -> None:
    chunk = replace(chunk_of([*OTHERS[:2], POISON]), keys=[b"k0", b"k1", b"k2"])

    assert [chunk.record(index).keys for index in range(3)] == [[b"k0"], [b"k1"], [b"k2"]]
    assert chunk_of(OTHERS).record(0).keys is None

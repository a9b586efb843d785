"""Which rows are still to be inserted, given what the table holds of their records. Pure.

An insert whose outcome was unknown may have stored a record in part, and the service that recovers it may read the
record differently: another version, another setting. The rule finishes the record without mixing up two readings:

1. Nothing of the record is stored: all its rows are inserted.
2. As many of its rows are stored as these themselves say it has: none is inserted, whatever this reading gives. Rows
   that say different numbers count apart: they are of a record that is being stored anew (`domain/revisions.py`), and
   its old rows are complete until they are deleted.
3. This reading gives it the same number of rows: they correspond by their number, and those not stored are inserted.
4. Otherwise nobody can tell which events are not stored: one flagged row is inserted that holds the whole record.

Rows of before the column `_items` do not say how many their record has. It then counts as complete if none of this
reading's rows is missing, and otherwise as read differently. The number decides, and not the name of the reader: so
the rule also holds for a change of the reading that nobody noticed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.reader import REST_ITEM
from app.domain.rows import Rows, concatenate, identities, partitions_of, whole_record

PROBLEM: Final = "reader: another one has stored a part of this record"
STORED_COLUMNS: Final = ("_offset", "_item", "_items")

LookUp: TypeAlias = Callable[[str, int, int, int], pa.Table]
"""Topic id, partition, first and last offset in; `STORED_COLUMNS` of all rows that the table holds there out."""


def missing_rows(rows: Rows, look_up: LookUp) -> Rows:
    """The rows to insert, so that the table holds every record of `rows` completely; partition by partition."""
    parts = [rows.slice(0, 0)]
    for topic_id, partition in partitions_of(rows):
        mine = rows.filter(pc.and_(pc.equal(rows["_topic_id"], topic_id), pc.equal(rows["_partition"], partition)))
        offsets = pc.min_max(mine["_offset"]).as_py()
        stored = look_up(topic_id, partition, offsets["min"], offsets["max"]).combine_chunks()
        parts += _missing_of_partition(mine, stored) if stored.num_rows else [mine]
    return concatenate(parts)


def count_of_wholes(rows: Rows) -> int:
    """How many of the rows hold a whole record."""
    return int(pc.sum(pc.equal(rows["_item"], REST_ITEM)).as_py() or 0)


def _missing_of_partition(rows: Rows, stored: pa.Table) -> Iterator[Rows]:
    """First the rows of this reading, then those that hold whole records; all are of one partition of a topic."""
    records = _records(stored)
    of_row = pc.index_in(rows["_offset"], value_set=records["_offset"])  # null if nothing of the record is stored
    count, declared = records["_item_count_distinct"].take(of_row), records["_items_max"].take(of_row)
    is_declared = pc.greater(declared, 0)
    has_all = pc.and_(is_declared, pc.greater_equal(count, declared))
    has_all = pc.or_(has_all, pc.equal(records["has_whole_max"].take(of_row), 1))
    has_rest = pc.equal(records["_item_max"].take(of_row), REST_ITEM)
    is_open = pc.fill_null(pc.invert(pc.or_(has_all, has_rest)), True)
    is_rest = pc.equal(rows["_item"], REST_ITEM)
    corresponds = pc.fill_null(pc.or_(pc.equal(declared, rows["_items"]), is_rest), True)
    is_stored = pc.is_in(identities(rows), value_set=identities(stored))
    yield rows.filter(pc.and_not(pc.and_(is_open, corresponds), is_stored))
    lacks_rows = pc.is_in(rows["_offset"], value_set=rows.filter(pc.invert(is_stored))["_offset"])
    is_odd = pc.and_(pc.and_not(is_open, corresponds), pc.or_(pc.fill_null(is_declared, False), lacks_rows))
    yield from _wholes(rows.filter(is_odd), count.filter(is_odd).to_pylist())


def _records(stored: pa.Table) -> pa.Table:
    """What is stored of each record; `has_whole_max` is 1 if the rows that say one of its numbers are all there."""
    readings = stored.group_by(["_offset", "_items"], use_threads=False).aggregate([("_item", "count_distinct")])
    has_all = pc.greater_equal(readings["_item_count_distinct"], readings["_items"])
    is_whole = pc.and_(has_all, pc.greater(readings["_items"], 0)).cast(pa.uint8())
    wholes = readings.append_column("has_whole", is_whole).group_by("_offset", use_threads=False)
    of_records = stored.group_by("_offset", use_threads=False).aggregate(
        [("_item", "count_distinct"), ("_item", "max"), ("_items", "max")]
    )
    found = wholes.aggregate([("has_whole", "max")])
    # Found by offset: a group_by promises no order, and that of two keys has none.
    of_record = pc.index_in(of_records["_offset"], value_set=found["_offset"])
    return of_records.append_column("has_whole_max", found["has_whole_max"].take(of_record))


def _wholes(rows: Rows, stored_counts: Sequence[int]) -> Iterator[Rows]:
    """A row for each record of `rows` that holds all of its rows; each count is that of the record's stored rows."""
    of_record: dict[int, list[int]] = {}
    for index, offset in enumerate(rows["_offset"].to_pylist()):
        of_record.setdefault(offset, []).append(index)
    for indexes in of_record.values():
        yield whole_record(rows.take(indexes), PROBLEM, item=REST_ITEM, items=stored_counts[indexes[0]] + 1)

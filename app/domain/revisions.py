"""Which stored rows others have replaced. Pure.

A row that is stored anew, because a later parser understands it, cannot take the place of the old one at once: the
table would need to insert and delete in one step. So it is inserted beside it, under the same identity and a higher
revision, and the old one is deleted once the new one is seen in the table. What the service stores itself has
revision 0, and each run of the command a higher one than all before. Which rows are to be deleted follows from the rows
alone, so a run that was killed can be continued by any other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """The position of a record in Kafka."""

    topic_id: str
    partition: int
    offset: int


class Version(NamedTuple):
    """A stored row, without its content: `items` is how many rows its record has in the reading that made it."""

    place: Place
    item: int
    items: int
    revision: int


def superseded(rows: Iterable[Version]) -> list[Version]:
    """The rows to delete. `rows` must hold all rows of each of their records.

    A row is superseded by one with its number and a higher revision; or, if the record has another number of rows by
    now, by all rows of a higher revision together.
    """
    of_record: dict[Place, list[Version]] = defaultdict(list)
    for row in rows:
        of_record[row.place].append(row)
    return [row for record in of_record.values() for row in _superseded_of(record)]


def _superseded_of(record: Sequence[Version]) -> Iterator[Version]:
    newest: dict[tuple[int, int], int] = defaultdict(int)
    for row in record:
        newest[row.item, row.items] = max(newest[row.item, row.items], row.revision)
    whole = [(row.revision, row.items) for row in record if row.revision and _is_whole(record, row)]
    for row in record:
        if row.revision < newest[row.item, row.items] or any(
            revision > row.revision and items != row.items for revision, items in whole
        ):
            yield row


def _is_whole(record: Sequence[Version], row: Version) -> bool:
    """Whether the table holds all rows of the revision of this row."""
    found = {other.item for other in record if (other.revision, other.items) == (row.revision, row.items)}
    return len(found) >= row.items > 0

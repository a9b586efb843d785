"""Which stored rows others have replaced. Pure.

A row that is stored anew, because a later parser understands it, cannot take the place of the old one at once: the
table would need to insert and delete in one step. So it is inserted beside it, under the same identity and a higher
revision, and the old one is deleted once the new one is seen in the table. What the service stores itself has
revision 0, and each run of the command a higher one than all before. Which rows are to be deleted follows from the rows
alone, so a run that was killed can be continued by any other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
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


class RemovedRow(NamedTuple):
    """A row that was removed on purpose, or is about to be: record, number, and how many rows its reading has."""

    place: Place
    item: int
    items: int


def superseded(rows: Iterable[Version], removed: Iterable[RemovedRow] = ()) -> list[Version]:
    """The rows to delete. `rows` must hold all rows of each of their records, `removed` those of them that are gone.

    A row is superseded by one with its number and a higher revision; or, if the record has another number of rows by
    now, by all rows of a higher revision together, of which some may have been removed since.
    """
    of_record: dict[Place, list[Version]] = defaultdict(list)
    for row in rows:
        of_record[row.place].append(row)
    gone = _by_record(removed)
    return [row for place, record in of_record.items() for row in _superseded_of(record, gone[place])]


def made_of_removed(rows: Iterable[Version], removed: Iterable[RemovedRow]) -> list[Version]:
    """The rows to delete because they were stored anew from rows that were removed on purpose.

    These are the one with the number of a removed row; and all of a record of which another reading, with another
    number of rows, was removed as a whole.
    """
    of_record = _by_record(removed)
    return [row for row in rows if row.revision and _is_of_removed(row, of_record[row.place])]


def _is_of_removed(row: Version, removed: Set[RemovedRow]) -> bool:
    if RemovedRow(*row[:3]) in removed:
        return True
    numbers = Counter(gone.items for gone in removed if gone.items != row.items)
    return any(count >= items > 0 for items, count in numbers.items())


def _by_record(removed: Iterable[RemovedRow]) -> defaultdict[Place, set[RemovedRow]]:
    of_record: defaultdict[Place, set[RemovedRow]] = defaultdict(set)
    for row in removed:
        of_record[row.place].add(row)
    return of_record


def _superseded_of(record: Sequence[Version], removed: Set[RemovedRow]) -> Iterator[Version]:
    newest: dict[tuple[int, int], int] = defaultdict(int)
    for row in record:
        newest[row.item, row.items] = max(newest[row.item, row.items], row.revision)
    whole = [(row.revision, row.items) for row in record if row.revision and _is_whole(record, removed, row)]
    for row in record:
        if row.revision < newest[row.item, row.items] or any(
            revision > row.revision and items != row.items for revision, items in whole
        ):
            yield row


def _is_whole(record: Sequence[Version], removed: Set[RemovedRow], row: Version) -> bool:
    """Whether the table holds all rows of the revision of this row, but for those that were removed."""
    found = {gone.item for gone in removed if gone.items == row.items}
    found |= {other.item for other in record if (other.revision, other.items) == (row.revision, row.items)}
    return len(found) >= row.items > 0

"""The interface of the table to what changes stored rows. Implemented in `backends/`, and in memory in tests."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, Protocol

from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import Rows


class FlaggedRow(NamedTuple):
    """A row with a ParseError, with what is needed to store it anew."""

    place: Place
    topic: str
    item: int
    items: int
    problem: str
    time_ms: int
    service: str
    body: bytes
    raw: bytes
    attributes: Mapping[str, str]
    resource: Mapping[str, str]


class RevisedTable(Protocol):
    """The table of logs, as rejected rows are stored anew in it. Every call may raise TryAgainLater."""

    def flagged(self, limit: int) -> Sequence[Place]:
        """The records that have rows with a ParseError: up to `limit`, day by day in the order of their offsets."""

    def unfinished(self) -> Sequence[Place]:
        """The records that may have rows of several revisions, of all times.

        And those with rows that are stored anew of which one was removed on purpose.
        """

    def rows(self, places: Sequence[Place]) -> Sequence[FlaggedRow]:
        """The rows with a ParseError of these records."""

    def versions(self, places: Sequence[Place]) -> Sequence[Version]:
        """All rows of these records."""

    def removed(self, places: Sequence[Place]) -> Set[RemovedRow]:
        """The rows of these records that were removed on purpose, or are about to be."""

    def new_revision(self) -> int:
        """A revision higher than those of all runs that have begun before."""

    def store(self, rows: Rows, revision: int) -> None:
        """Insert rows of this revision.

        Raises:
            Refused: ClickHouse does not accept one of them.
        """

    def delete(self, rows: Sequence[Version]) -> None:
        """Delete exactly these rows, and wait until queries no longer see them."""

"""The table: created and migrated at the start and by commands, and read by commands."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from msgspec import Struct

from app.backends.clickhouse.cluster import cluster_statements
from app.backends.clickhouse.migrations import Standing, materialize, migrate
from app.backends.clickhouse.rejected import ClickHouseRejected
from app.backends.clickhouse.schema import ensure_table, statements
from app.settings import ClickHouseSettings

__all__ = ["Prepared", "Standing", "materialize", "prepare_table", "rejected_rows", "table_statements"]

_STATEMENT_SECS = 10.0


class Prepared(Struct, frozen=True):
    """Whether the table was created, and its migrations compared with those of this version of the service."""

    was_made: bool
    standing: Standing


def prepare_table(
    settings: ClickHouseSettings,
    *,
    on_applied: Callable[[str], Any],
    on_made: Callable[[], Any] = lambda: None,
    timeout_secs: float = _STATEMENT_SECS,
) -> Prepared:
    """Create the table if it is missing, and apply the migrations that it has not had.

    Calls `on_made` after creating it, and `on_applied` with the name of each migration.

    Raises:
        TryAgainLater: ClickHouse does not answer, or does not allow it.
    """
    was_made = ensure_table(settings)
    if was_made:
        on_made()
    return Prepared(was_made, migrate(settings, on_applied=on_applied, timeout_secs=timeout_secs))


def table_statements(settings: ClickHouseSettings, cluster: str | None) -> list[str]:
    """The statements that create the table, on one server or on the cluster of this name."""
    return statements(settings) if cluster is None else cluster_statements(settings, cluster)


@contextmanager
def rejected_rows(
    settings: ClickHouseSettings, *, since_secs: int, until_secs: int | None, timeout_secs: float
) -> Iterator[ClickHouseRejected]:
    """The rows that were not understood, from `since_secs` to `until_secs` ago.

    Raises:
        TryAgainLater, Refused: ClickHouse does not answer.
    """
    with closing(
        ClickHouseRejected(settings, since_secs=since_secs, until_secs=until_secs, timeout_secs=timeout_secs)
    ) as rows:
        yield rows

"""Rows are removed on the real engine: whose, and what stays of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.backends.clickhouse.removal import ClickHouseRemoval
from app.domain.rows import Rows, concatenate
from app.maintenance.removal import OfUser, Waiting, remove
from tests.contract.test_log_writer import InClickHouse, insert, row
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

LATER_MS = 4_000_000_000_000
HOSTILE = ["O'Brien \\", "' OR 1 = 1 --", "\\'", "a /* b", "{u:String}", "%s %(a)d", "Jürgen 🚀", "tab\t\n", "?;#"]


class Removable:
    """A table with rows, from which some are removed."""

    def __init__(self, engine: RunningEngine) -> None:
        self.table = InClickHouse(engine)
        self.removal = ClickHouseRemoval(self.table.settings, timeout_secs=60)
        self.removal.prepare()

    def store(self, rows: Rows) -> None:
        insert(self.table.writer, rows)

    def remove(self, user: str) -> None:
        remove(self.removal, OfUser(user), LATER_MS, Waiting())

    def offsets(self, *, hidden: bool = False) -> list[int]:
        """Offsets of the rows that are there; with those that are only `hidden` from queries."""
        sql = f"SELECT _offset FROM {self.table.name} ORDER BY 1 SETTINGS apply_deleted_mask = {int(not hidden)}"
        return [offset for (offset,) in self.table.client.query(sql).result_rows]

    def drop(self) -> None:
        self.removal.close()
        self.table.drop()


@pytest.fixture
def removable(engine: RunningEngine) -> Iterator[Removable]:
    made = Removable(engine)
    yield made
    made.drop()


def test_what_was_removed_is_erased_and_not_only_hidden(removable: Removable) -> None:
    """Rows of past days are merged no more: those that are only hidden would stay on the disk, and be in backups."""
    removable.store(concatenate([row(0, UserId="hidden by others"), row(1, UserId="u"), row(2)]))
    removable.table.client.command(f"DELETE FROM {removable.table.name} WHERE UserId = 'hidden by others'")
    assert removable.offsets(hidden=True) == [0, 1, 2]

    removable.remove("u")

    assert removable.offsets(hidden=True) == [2]


def test_any_text_may_be_the_id_of_a_user(removable: Removable) -> None:
    removable.store(concatenate([row(n, UserId=user) for n, user in enumerate(HOSTILE)]))
    removable.store(concatenate([row(100 + n, UserId=f"{user} 2") for n, user in enumerate(HOSTILE)]))

    for user in HOSTILE:
        assert removable.removal.count(OfUser(user)) == 1
        removable.remove(user)

    assert removable.offsets() == [100 + n for n in range(len(HOSTILE))]

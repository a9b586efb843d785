"""The ways to remove the logs of some services that `bench.retention` compares."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.backends.clickhouse.removal import ClickHouseRemoval
from app.maintenance.removal import OfServices, Waiting, wait_until_deleted
from bench.stack import DATABASE, BenchStack

_LATER_MS: Final = 4_000_000_000_000  # all rows are of before
_TABLE_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is removed: these services, of these days."""

    title: str
    services: Sequence[str]
    days: Sequence[date]

    @property
    def condition(self) -> str:
        """For SQL."""
        return f"ServiceName IN ({', '.join(map(repr, self.services))})"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to remove rows from a table.

    `by_class`: its partition key has a class of services, beside the day. `is_note`: it leaves the rows, and notes
    their positions in a table beside it.
    """

    name: str
    remove: Callable[[BenchStack, str, Wanted], object]
    by_class: bool = False
    is_note: bool = False


def _nothing(stack: BenchStack, table: str, wanted: Wanted) -> None:
    """As long as one of the others takes, for the inserts beside it."""
    time.sleep(5)


def _note(stack: BenchStack, table: str, wanted: Wanted) -> None:
    with closing(ClickHouseRemoval(stack.clickhouse_settings(table), timeout_secs=300)) as removal:
        removal.prepare()
        for day in wanted.days:
            removal.note(OfServices(day, wanted.services), _LATER_MS)


def _mutation(stack: BenchStack, table: str, wanted: Wanted) -> None:
    with closing(ClickHouseRemoval(stack.clickhouse_settings(table), timeout_secs=300)) as removal:
        removal.prepare()
        for day in wanted.days:
            removal.delete(OfServices(day, wanted.services), _LATER_MS)
            wait_until_deleted(removal, Waiting())


def _mutation_of_nothing(stack: BenchStack, table: str, wanted: Wanted) -> None:
    _mutation(stack, table, Wanted("nothing", ["no such service"], wanted.days))


def _lightweight(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"DELETE FROM `{DATABASE}`.`{table}` IN PARTITION '{day}' WHERE {wanted.condition}")


def _lightweight_and_mask(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"DELETE FROM `{DATABASE}`.`{table}` IN PARTITION '{day}' WHERE {wanted.condition}")
        stack.query(
            f"ALTER TABLE `{DATABASE}`.`{table}` APPLY DELETED MASK IN PARTITION '{day}' SETTINGS mutations_sync = 1"
        )


def _ttl(stack: BenchStack, table: str, wanted: Wanted) -> None:
    stack.query(
        f"ALTER TABLE `{DATABASE}`.`{table}` MODIFY SETTING ttl_only_drop_parts = 0, merge_with_ttl_timeout = 0"
    )
    stack.query(
        f"ALTER TABLE `{DATABASE}`.`{table}` MODIFY TTL toDateTime(Timestamp) + INTERVAL {_TABLE_DAYS} DAY DELETE,"
        f" toDateTime(Timestamp) + INTERVAL 3 DAY DELETE WHERE {wanted.condition} SETTINGS mutations_sync = 1"
    )
    stack.wait_until_idle()


def _drop_class(stack: BenchStack, table: str, wanted: Wanted) -> None:
    for day in wanted.days:
        stack.query(f"ALTER TABLE `{DATABASE}`.`{table}` DROP PARTITION ('{day}', 1)")


WAYS: Final = (
    Way("nothing, for the inserts", _nothing),
    Way("note the positions", _note, is_note=True),
    Way("`ALTER TABLE DELETE` in the partition, day by day", _mutation),
    Way("the same where nothing has expired", _mutation_of_nothing),
    Way("lightweight `DELETE` in the partition", _lightweight),
    Way("the same, then `APPLY DELETED MASK`", _lightweight_and_mask),
    Way("TTL `DELETE WHERE`", _ttl),
    Way("`DROP PARTITION`, the class in the partition key", _drop_class, by_class=True),
)

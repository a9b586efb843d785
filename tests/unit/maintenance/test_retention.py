"""What has expired by the rules of services is removed, and nothing else, whenever it is killed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry

from app.commands.retention import retention_in_words, say_rules
from app.domain.retention_rules import Expired, RetentionRules, parse_retention_rules
from app.errors import TryAgainLater
from app.health import Health
from app.maintenance.passes import RetentionPasses
from app.maintenance.removal import OfServices, Selection, Waiting
from app.maintenance.retention import remove_expired
from app.metrics import Metrics
from app.telemetry.retention import RetentionTelemetry
from tests.fakes import Clock
from tests.support.revised_table import Killed

NOW_MS = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)
RULES = RetentionRules(parse_retention_rules("debug-*:3,api:7"))


class Row(NamedTuple):
    service: str
    day: date
    ingested_ms: int = 0


def row(service: str, day: int, ingested_ms: int = 0) -> Row:
    return Row(service, date(2026, 11, day), ingested_ms)


EXPIRED = {row("debug-a", 10), row("debug-a", 11), row("debug-b", 10), row("api", 11)}
KEPT = {row("debug-a", 27), row("api", 23), row("payments", 1), row("", 1)}


class MemoryRows:
    """See `maintenance.removal.RemovableRows`."""

    def __init__(self, kill_at: int | None = None, rows: Set[Row] = EXPIRED | KEPT) -> None:
        self.rows, self.sent = set(rows), rows
        self.noted: set[Row] = set()
        self.deletions: list[OfServices] = []
        self.deleting: set[Row] = set()
        self.kill_at, self.calls = kill_at, 0
        self.fault = ""
        self._moments = itertools.count(NOW_MS, 10_000)

    def prepare(self) -> None:
        self._call()

    def now_ms(self) -> int:
        self._call()
        return next(self._moments)

    def running(self) -> Sequence[str]:
        self._call()
        return ()

    def count(self, selection: Selection, before_ms: int | None = None) -> int:
        raise NotImplementedError

    def stored_by_day(self) -> Mapping[tuple[date, str], int]:
        self._call()
        return Counter((each.day, each.service) for each in self.rows)

    def note(self, selection: Selection, before_ms: int) -> None:
        self.noted |= self._of(selection, before_ms)
        self._call()

    def delete(self, selection: Selection, before_ms: int) -> None:
        assert isinstance(selection, OfServices)
        assert not self.deleting  # a day at a time
        self.deletions.append(selection)
        self.deleting = self._of(selection, before_ms)
        self._call()

    def is_deleting(self) -> bool:
        if self.fault:
            raise TryAgainLater(self.fault, code="mutation")
        self._call()
        is_deleting = bool(self.deleting)
        self.rows -= self.deleting
        self.deleting = set()
        return is_deleting

    def _of(self, selection: Selection, before_ms: int) -> set[Row]:
        assert isinstance(selection, OfServices)
        return {
            each
            for each in self.rows
            if each.day == selection.day and each.service in selection.services and each.ingested_ms < before_ms
        }

    def _call(self) -> None:
        assert self.rows | self.noted >= self.sent  # neither stored nor noted would be stored again
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed


def remove_from(table: MemoryRows, **options: object) -> list[list[Expired]]:
    clock, removed = Clock(), list[list[Expired]]()
    waiting = Waiting(lambda: clock.now, clock.advance)
    remove_expired(table, RULES, waiting, on_removed=lambda day: removed.append(list(day)), **options)  # type: ignore[arg-type]
    return removed


def test_a_pass_removes_what_has_expired_day_by_day() -> None:
    table = MemoryRows()

    removed = remove_from(table)

    assert [sorted({each.service for each in day}) for day in removed] == [["debug-a", "debug-b"], ["api", "debug-a"]]
    assert table.rows == KEPT
    assert table.noted == EXPIRED


def test_a_row_that_comes_during_the_pass_waits_for_the_next() -> None:
    later = row("debug-a", 11, NOW_MS + 10**9)
    table = MemoryRows(rows={later})

    remove_from(table)

    assert table.rows == {later}
    assert not table.noted


def test_a_pass_may_be_killed_at_any_call_and_the_next_goes_on() -> None:
    for at in itertools.count(1):
        table = MemoryRows(at)
        try:
            remove_from(table)
        except Killed:
            table.kill_at = None
        else:
            assert at > 10  # it has reached each call
            return
        remove_from(table)

        assert table.rows == KEPT
        assert table.noted == EXPIRED


def test_a_pass_with_nothing_to_remove_only_looks() -> None:
    table = MemoryRows(rows=KEPT)

    assert remove_from(table) == []
    assert not table.deletions


def test_a_pass_ends_when_another_instance_makes_them() -> None:
    table = MemoryRows()
    answers = iter([True, False])

    removed = remove_from(table, goes_on=lambda: next(answers))

    assert len(removed) == 1


def test_a_deletion_that_fails_is_an_error() -> None:
    table = MemoryRows()
    table.fault = "no space left"

    with pytest.raises(TryAgainLater, match="no space left"):
        remove_from(table)
    assert not table.noted


def test_the_command_shows_and_by_itself_removes_nothing() -> None:
    table, lines = MemoryRows(), list[str]()

    assert retention_in_words(table, RULES, is_applied=False, say=lines.append) == 0

    assert "  2026-11-10 debug-b: 1 log (rule debug-*:3)" in lines
    assert lines[-1] == "4 logs have expired. Nothing was removed. To remove them for good, add --apply."
    assert table.rows == EXPIRED | KEPT
    assert not table.noted


def test_the_command_removes_if_told() -> None:
    table, lines, clock = MemoryRows(), list[str](), Clock()
    waiting = Waiting(lambda: clock.now, clock.advance)

    assert retention_in_words(table, RULES, is_applied=True, say=lines.append, waiting=waiting) == 0

    assert "Removed: 2026-11-10, 2 logs" in lines
    assert table.rows == KEPT


def test_the_command_shows_the_rules() -> None:
    lines = list[str]()

    say_rules(RULES, 30, lines.append)

    assert lines == ["  debug-*: 3 days", "  api: 7 days", "  all other services: 30 days (CLICKHOUSE_RETENTION_DAYS)"]


class World:
    """Passes with their telemetry; `is_ours` says whether this instance makes them."""

    def __init__(self, table: MemoryRows) -> None:
        self.registry, self.health, self.clock = CollectorRegistry(), Health(), Clock()
        self.is_ours = True
        self.passes = RetentionPasses(
            lambda: nullcontext(table),
            RULES,
            RetentionTelemetry(Metrics(self.registry, version="1"), self.health, wall_clock=lambda: 1000.0),
            is_ours=lambda: self.is_ours,
            interval_secs=3600,
            waiting=Waiting(lambda: self.clock.now, self.clock.advance),
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"log_ingest_retention_{name}", labels)


def test_a_pass_is_counted_by_rule() -> None:
    world = World(MemoryRows())

    assert world.passes.run() == 3600

    assert world.value("removed_rows_total", rule="debug-*:3") == 3
    assert world.value("removed_rows_total", rule="api:7") == 1
    assert world.value("last_pass_timestamp_seconds") == 1000.0
    assert world.value("failures_total") == 0


def test_a_pass_that_fails_is_counted_and_the_next_one_tries_again() -> None:
    table = MemoryRows()
    world = World(table)
    table.fault = "no space left"

    assert world.passes.run() == 3600
    assert world.value("failures_total") == 1
    assert world.value("last_pass_timestamp_seconds") == 0
    assert "no space left" in str(world.health.details())

    table.fault = ""
    world.passes.run()
    assert table.rows == KEPT


def test_only_one_instance_makes_passes() -> None:
    table = MemoryRows()
    world = World(table)
    world.is_ours = False

    assert world.passes.run() == 60  # it may be this one soon

    assert table.calls == 0
    assert world.value("last_pass_timestamp_seconds") == 0

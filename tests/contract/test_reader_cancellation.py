"""A cancelled query ends at ClickHouse, and only that one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.backends.clickhouse.client import connect
from app.backends.clickhouse.reader import ClickHouseReader
from app.domain.cancellation import Cancellation
from app.domain.statement import Statement
from app.errors import Abandoned
from app.settings import QuerySettings
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack

_PATIENCE_SECS = 20.0
_SOON_SECS = 3.0
_LONG_SECS = 30


def wait_until(is_so: Callable[[], bool], what: str, secs: float = _PATIENCE_SECS) -> None:
    deadline = time.monotonic() + secs
    while not is_so():
        assert time.monotonic() < deadline, f"not within {secs:.0f} s: {what}"
        time.sleep(0.02)


class LongQuery:
    """A query of half a minute on a thread of its own; `name` is part of its text."""

    def __init__(self, reader: ClickHouseReader, name: str) -> None:
        self.cancellation = Cancellation()
        self.name = name
        self.is_abandoned = False
        self._reader = reader
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait_for_end(self, secs: float) -> bool:
        """Whether it ended in time."""
        self._thread.join(secs)
        return not self._thread.is_alive()

    def _run(self) -> None:
        tenths = f"numbers({10 * _LONG_SECS}) SETTINGS max_block_size = 1"
        sql = f"SELECT sum(sleepEachRow(0.1)), '{self.name}' FROM {tenths}"
        try:
            self._reader.run(Statement(sql), timeout_secs=2 * _LONG_SECS, cancellation=self.cancellation)
        except Abandoned:
            self.is_abandoned = True


class Running:
    """A reader, and what ClickHouse says of its queries."""

    def __init__(self, engine: RunningEngine) -> None:
        settings = clickhouse_settings(engine, "default")
        self.reader = ClickHouseReader(settings, QuerySettings())
        self.started: list[LongQuery] = []
        self._client = connect(settings, timeout_secs=30)

    def start(self, name: str) -> LongQuery:
        """A query that ClickHouse is running."""
        query = LongQuery(self.reader, name)
        self.started.append(query)
        wait_until(lambda: self.is_running(query), f"{name} runs")
        return query

    def is_running(self, query: LongQuery) -> bool:
        sql = f"SELECT count() FROM system.processes WHERE query LIKE '%''{query.name}''%' AND query NOT LIKE '%LIKE%'"
        return bool(self._client.query(sql).result_rows[0][0])


@pytest.fixture
def running(engine: RunningEngine) -> Iterator[Running]:
    made = Running(engine)
    yield made
    for query in made.started:
        query.cancellation.cancel()
        assert query.wait_for_end(_PATIENCE_SECS)


def test_a_cancelled_query_ends_at_clickhouse_at_once(running: Running) -> None:
    query = running.start("cancelled")

    query.cancellation.cancel()

    wait_until(lambda: not running.is_running(query), "ClickHouse has ended it", _SOON_SECS)
    assert query.wait_for_end(_PATIENCE_SECS)
    assert query.is_abandoned


def test_the_queries_of_others_go_on(running: Running) -> None:
    mine, other = running.start("mine"), running.start("other")

    mine.cancellation.cancel()

    wait_until(lambda: not running.is_running(mine), "ClickHouse has ended it", _SOON_SECS)
    assert running.is_running(other)
    assert not other.is_abandoned


def test_a_reader_answers_after_a_cancelled_query(running: Running) -> None:
    query = running.start("before")
    query.cancellation.cancel()
    assert query.wait_for_end(_PATIENCE_SECS)

    assert running.reader.run(Statement("SELECT 1"), timeout_secs=2 * _LONG_SECS).rows == [(1,)]

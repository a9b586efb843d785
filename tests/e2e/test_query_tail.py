"""Following logs as they are stored: each once, in order, with resume."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.backends.clickhouse.reader import ClickHouseReader
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.query.tail import FIRST_ROWS, MAX_ROWS
from app.query.tree import Everything
from app.settings import QuerySettings
from tests.e2e.query_table import QueryTable, sample_events
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

NOW_MS = int(time.time()) * 1000
PATIENCE_SECS = 30.0


@pytest.fixture
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    made.store(list(sample_events(NOW_MS, 50)))
    yield made
    made.drop()


class Follower:
    """A reader of a stream, event by event."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.status_code == 200, answer.text
        self._answer = answer
        self._pieces = answer.iter_encoded()
        self._text = ""
        self.last_id = ""
        assert self._next_event()["event"] == "ready"

    def logs(self, count: int) -> list[dict[str, Any]]:
        """The next so many logs."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            event = self._next_event()
            if "event" not in event:
                found.append(json.loads(event["data"]))
        return found

    def close(self) -> None:
        """Leave."""
        self._answer.close()

    def _next_event(self) -> dict[str, str]:
        deadline = time.monotonic() + PATIENCE_SECS
        while "\n\n" not in self._text:
            assert time.monotonic() < deadline, "no event comes"
            self._text += next(self._pieces).decode()
        text, _, self._text = self._text.partition("\n\n")
        event = dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith(":"))
        self.last_id = event.get("id", self.last_id)
        return event


def follow(table: QueryTable, **parameters: object) -> Follower:
    return Follower(table.api().get("/api/v1/logs/tail", query_string=parameters, buffered=False))


def test_new_logs_are_sent_once_and_in_order(table: QueryTable) -> None:
    follower = follow(table)
    first = table.store(list(sample_events(NOW_MS, 30, seed=2)))
    second = table.store(list(sample_events(NOW_MS, 20, seed=3)))

    assert [log["id"] for log in follower.logs(50)] == [log.id for log in (*first, *second)]
    follower.close()


def test_only_what_matches_comes_with_the_fields_that_are_chosen(table: QueryTable) -> None:
    follower = follow(table, query="level:error", fields="level,message")
    stored = table.store(list(sample_events(NOW_MS, 200, seed=4)))
    errors = [log.id for log in stored if log.event["level"] == "error"]

    found = follower.logs(len(errors))
    follower.close()

    assert [log["id"] for log in found] == errors
    assert all(log.keys() == {"id", "level", "message"} for log in found)


def test_a_reader_goes_on_where_it_was(table: QueryTable) -> None:
    follower = follow(table)
    stored = table.store(list(sample_events(NOW_MS, 10, seed=5)))
    seen = follower.logs(10)
    follower.close()
    missed = table.store(list(sample_events(NOW_MS, 10, seed=6)))

    again = follow(table, last_id=follower.last_id)
    found = again.logs(10)
    again.close()

    assert [log["id"] for log in seen] == [log.id for log in stored]
    assert [log["id"] for log in found] == [log.id for log in missed]


def test_a_reader_goes_on_in_the_middle_of_what_was_stored_together(table: QueryTable) -> None:
    follower = follow(table)
    stored = table.store(list(sample_events(NOW_MS, 10, seed=7)))
    follower.logs(4)
    follower.close()

    again = follow(table, last_id=follower.last_id)
    found = again.logs(6)
    again.close()

    assert [log["id"] for log in found] == [log.id for log in stored[4:]]


def test_a_partition_that_is_new_is_followed_from_its_beginning(table: QueryTable) -> None:
    follower = follow(table)
    stored = table.store(list(sample_events(NOW_MS, 5, seed=8)), partition=1)

    assert [log["id"] for log in follower.logs(5)] == [log.id for log in stored]
    follower.close()


def test_more_rows_than_the_limit_of_a_query_are_still_sent(table: QueryTable) -> None:
    follower = follow(table)
    stored = table.store(list(sample_events(NOW_MS, 2_500, seed=9)))

    assert [log["id"] for log in follower.logs(2_500)] == [log.id for log in stored]
    follower.close()


def test_the_first_query_is_limited_and_a_client_that_lags_does_not_wait_for_the_next(table: QueryTable) -> None:
    def queries() -> QueryService:
        """One that has read nothing yet."""
        return QueryService(LogTable(ClickHouseReader(table.settings, QuerySettings())))

    resume_token = queries().tail(Everything(), fields=[], last_id="").resume_token
    stored = table.store(list(sample_events(NOW_MS, FIRST_ROWS + MAX_ROWS + 10, seed=10)))
    tail = queries().tail(Everything(), fields=["message"], last_id=resume_token)

    looks = []
    for _ in range(4):
        looks.append(([str(row.id) for row in tail.poll()], tail.is_behind))

    assert [(len(ids), is_behind) for ids, is_behind in looks] == [
        (FIRST_ROWS, True),
        (MAX_ROWS, True),
        (10, False),
        (0, False),
    ]
    assert [log_id for ids, _ in looks for log_id in ids] == [log.id for log in stored]


@pytest.mark.parametrize("after", ["x", "a:b:c:d", "topic-1:0:5:0,"])
def test_an_invalid_resume_token_is_refused(table: QueryTable, after: str) -> None:
    answer = table.api().get("/api/v1/logs/tail", headers={"Last-Event-ID": after})

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["parameter"] == "last_id"


def test_a_stream_ends_when_the_service_stops(table: QueryTable) -> None:
    answer = table.api(is_stopping=lambda: True).get("/api/v1/logs/tail")

    assert "event: ready" in answer.text


def test_a_reader_that_disconnects_frees_its_slot(table: QueryTable) -> None:
    api = table.api(QuerySettings(max_streams=1))
    first = api.get("/api/v1/logs/tail", buffered=False)
    refused = api.get("/api/v1/logs/tail")
    first.close()
    second = api.get("/api/v1/logs/tail", buffered=False)
    second.close()

    assert (refused.status_code, second.status_code) == (429, 200)
    assert refused.headers["Retry-After"] == "10"

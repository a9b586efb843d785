"""What people type finds on the real engine what they mean, by plain predicates over the events that were sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import pytest

from app.backends.clickhouse.reader import ClickHouseReader
from app.domain.event_time import rfc3339
from app.query.errors import QueryError
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.query.tree import Hint, Node
from app.settings import QuerySettings
from tests.e2e.query_table import QueryTable
from tests.query.meaning import Meaning, everything, nothing
from tests.query.real_logs import real_logs
from tests.query.texts import TEXTS, Answer, Typed
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

END_MS: Final = int(time.time()) // 60 * 60_000
START_MS: Final = END_MS - 600_000
PAGE_ROWS: Final = 250
TIMEOUT_SECS: Final = 30.0


class Asked:
    """Stored logs, and the service that is asked about them as the API asks it."""

    def __init__(self, table: QueryTable) -> None:
        self._logs = table.logs
        # Few logs need no threads, and the machine is busy with other tests.
        self._queries = QueryService(LogTable(ClickHouseReader(table.settings, QuerySettings(max_threads=1))))
        self._span = self._queries.span(str(START_MS), str(END_MS))
        self._answers: dict[Node, set[str]] = {}

    def meant(self, meaning: Meaning) -> set[str]:
        """The ids of the logs that were meant."""
        return {log.id for log in self._logs if meaning({"timestamp": log.time_ms, **log.event})}

    def found(self, text: str) -> set[str]:
        """The ids of the logs on all pages. The histogram counts as many, and none is on two pages.

        Texts that are read as the same are sent once.
        """
        tree = parse(text).tree
        if tree not in self._answers:
            self._answers[tree] = self._answer(tree)
        return self._answers[tree]

    def hint(self, text: str) -> str:
        """The first query that a search which finds nothing gets back."""
        query = parse(text)
        hints = self._queries.second_look.hints(query, self._span, timeout_secs=TIMEOUT_SECS)
        return _first_query([*query.hints, *hints])

    def _answer(self, tree: Node) -> set[str]:
        ids = list(self._ids(tree))
        assert len(set(ids)) == len(ids)
        assert self._counted(tree) == len(ids)
        return set(ids)

    def _ids(self, tree: Node) -> Iterator[str]:
        cursor = ""
        while True:
            search = self._queries.search(tree, self._span, fields=["offset"], limit=PAGE_ROWS, cursor=cursor)
            page = self._queries.page(search, timeout_secs=TIMEOUT_SECS)
            assert page.is_complete
            yield from (str(row.id) for row in page.rows)
            if page.next_cursor is None:
                return
            cursor = str(page.next_cursor)

    def _counted(self, tree: Node) -> int:
        histogram = self._queries.histogram(tree, self._span, by=[], interval="5m")
        rows = self._queries.aggregates(histogram, timeout_secs=TIMEOUT_SECS).rows
        return sum(count for _, count in rows)


def _first_query(hints: list[Hint]) -> str:
    return next((hint.query for hint in hints if hint.query), "")


@pytest.fixture(scope="module")
def asked(engine: RunningEngine) -> Iterator[Asked]:
    table = QueryTable(engine)
    events = [(END_MS - 1_500 * (n + 1), event) for n, event in enumerate(real_logs())]
    table.store(events[::2], partition=0)
    table.store(events[1::2], partition=0)
    yield Asked(table)
    table.drop()


def typed(answer: Answer) -> pytest.MarkDecorator:
    """The texts with this answer as parameters."""
    texts = [text for text in TEXTS if text.answer is answer]
    return pytest.mark.parametrize("typed", texts, ids=lambda text: text.text)


def test_every_text_tells_logs_apart(asked: Asked) -> None:
    texts = [typed.text for typed in TEXTS]
    all_of_them = len(asked.meant(everything))
    vague = [
        typed.text
        for typed in TEXTS
        if typed.meant not in (everything, nothing) and not 0 < len(asked.meant(typed.meant)) < all_of_them
    ]

    assert len(set(texts)) == len(texts) >= 300
    assert vague == []


@typed(Answer.FOUND)
def test_a_query_finds_what_was_meant(asked: Asked, typed: Typed) -> None:
    assert asked.found(typed.text) == asked.meant(typed.meant)


@typed(Answer.HINT)
def test_a_misread_query_finds_nothing_and_its_hint_what_was_meant(asked: Asked, typed: Typed) -> None:
    assert asked.found(typed.text) == set()
    assert asked.found(asked.hint(typed.text)) == asked.meant(typed.meant)


@typed(Answer.REFUSED)
def test_a_refused_query_gets_one_that_finds_what_was_meant(asked: Asked, typed: Typed) -> None:
    with pytest.raises(QueryError) as refused:
        parse(typed.text)

    assert asked.found(_first_query(list(refused.value.hints))) == asked.meant(typed.meant)


@pytest.mark.parametrize(
    ("form", "is_included"),
    [
        ("timestamp:>={}", True),
        ("timestamp>={}", True),
        ("@timestamp >= {}", True),
        ("ts:[{} TO *]", True),
        ('time:>="{}"', True),
        ("timestamp:>{}", False),
        ("-timestamp:<={}", False),
        ("NOT time <= {}", False),
    ],
)
def test_a_time_finds_the_logs_since_then(asked: Asked, form: str, is_included: bool) -> None:
    since_ms = END_MS - 1_500 * 20  # the time of a log
    meant = asked.meant(lambda event: event["timestamp"] >= since_ms + (not is_included))

    assert len(meant) == 20 - (not is_included)
    assert asked.found(form.format(rfc3339(since_ms * 1_000_000))) == meant

"""A range read window by window, and what fields and context answer when the time is up on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain.statement import Cost, Result, Statement
from app.errors import QueryTooExpensive
from app.query.log_id import LogId
from app.query.log_table import LogTable, Select
from app.query.service import QueryService
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Everything
from app.query.windowed_scan import Deadline, Piece, WindowedScan
from app.query.windows import newest_first
from tests.fakes import Clock, ScriptedReader
from tests.query.answers import NOW_NS, answer_to

HOUR = TimeRange(0, 3600 * SECOND_NS)
LOG = LogId(NOW_NS - SECOND_NS, "topic-id", 2, 100, 0)


class Setup:
    """A scan of an hour within a second, over a reader that takes a quarter of one for two rows."""

    def __init__(self, *, wanted_rows: int = 5, slow_from: int = 100) -> None:
        self.clock = Clock()
        self.reader = ScriptedReader(self._answer)
        self.scan = WindowedScan(LogTable(self.reader), Deadline(self.clock, 1.0), wanted_rows)
        self.missing: list[int] = []
        self._slow_from = slow_from

    def read(self) -> int:
        """How many windows are read."""
        windows = self.scan.windows(newest_first, HOUR, rows_per_sec=1.0)
        return sum(1 for _ in self.scan.answers(windows, self._select))

    def _select(self, piece: Piece, missing: int) -> Select:
        self.missing.append(missing)
        return Select("n", [piece.span.condition])

    def _answer(self, _: Statement) -> Result:
        self.clock.turn(0.25)
        if len(self.reader.asked) >= self._slow_from:
            raise QueryTooExpensive("time", "too slow")
        return Result(("n",), [(1,), (2,)], Cost(10, 100))


def test_no_more_is_read_than_is_wanted_and_each_window_is_asked_for_what_is_missing() -> None:
    setup = Setup()

    assert (setup.read(), setup.missing, setup.scan.found_rows) == (3, [5, 3, 1], 6)
    assert setup.reader.timeouts_secs == [1.0, 0.75, 0.5]
    assert setup.scan.cost == Cost(30, 300)
    assert not setup.scan.is_out_of_time


def test_when_the_time_is_up_nothing_more_is_begun() -> None:
    setup = Setup(wanted_rows=20)
    setup.clock.turn(0.5)

    assert setup.read() == len(setup.reader.asked) == 2
    assert setup.scan.is_out_of_time


def test_a_window_that_takes_too_long_ends_the_scan_after_the_one_before() -> None:
    setup = Setup(slow_from=3)

    assert setup.read() == 2
    assert setup.scan.is_out_of_time
    assert setup.scan.last_read is not None
    read_before, last_read, too_slow = (asked.sql for asked in setup.reader.asked)
    assert setup.scan.last_read.condition in last_read
    assert setup.scan.last_read.condition not in read_before + too_slow


def test_where_not_even_the_first_window_can_be_read_there_is_nothing_to_show() -> None:
    with pytest.raises(QueryTooExpensive):
        Setup(slow_from=1).read()


def test_a_scan_for_no_rows_asks_nothing() -> None:
    setup = Setup(wanted_rows=0)

    assert (setup.read(), setup.reader.asked) == (0, [])


def queries_over(answer: Callable[[Statement], Result]) -> QueryService:
    return QueryService(LogTable(ScriptedReader(answer)), now_ns=lambda: NOW_NS, clock=Clock())


def failing_after(count: int, part: str) -> Callable[[Statement], Result]:
    """Answers so many statements with this text, and all others."""
    asked: list[Statement] = []

    def answer(statement: Statement) -> Result:
        if part in statement.sql:
            asked.append(statement)
            if len(asked) > count:
                raise QueryTooExpensive("time", "too slow")
        return answer_to(statement)

    return answer


@pytest.mark.parametrize(("windows", "is_complete"), [(1, False), (100, True)])
def test_fields_are_those_of_the_windows_that_could_be_read(windows: int, is_complete: bool) -> None:
    found_in_all = failing_after(windows, "sumMap")

    def of_few_rows(statement: Statement) -> Result:
        answer = found_in_all(statement)
        return Result((), [(10, *answer.rows[0][1:])]) if "sumMap" in statement.sql else answer

    queries = queries_over(of_few_rows)

    found = queries.facets.fields(
        Everything(), queries.span("now-90d", "now"), prefix="http", limit=100, timeout_secs=1
    )

    assert found.counts == [("http.route", 5 * found.looked_at // 10)]
    assert found.is_complete == is_complete
    assert (found.looked_at == 10) == (windows == 1)


@pytest.mark.parametrize("windows", [0, 1])
def test_a_log_is_shown_with_those_around_it_that_could_be_read(windows: int) -> None:
    queries = queries_over(failing_after(windows, " < (fromUnixTimestamp64Nano({place_ns"))

    found = queries.surroundings.around(LOG, same="", before=5, after=0, timeout_secs=1)

    assert len(found.rows) == windows + 1
    assert not found.is_complete

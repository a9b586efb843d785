"""A range read window by window, and the results of fields and context on a timeout."""

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
from app.query.windows import Expected, newest_first
from tests.fakes import Clock, ScriptedReader
from tests.query.results import NOW_NS, result_of

HOUR = TimeRange(0, 3600 * SECOND_NS)
LOG = LogId(NOW_NS - SECOND_NS, "topic-id", 2, 100, 0)


class Setup:
    """A scan of an hour with a limit of a second, over a reader that takes a quarter of a second for two rows."""

    def __init__(self, *, wanted_rows: int = 5, slow_from: int = 100) -> None:
        self.clock = Clock()
        self.reader = ScriptedReader(self._answer)
        self.scan = WindowedScan(LogTable(self.reader), Deadline(self.clock, 1.0), wanted_rows)
        self.missing: list[int] = []
        self._slow_from = slow_from

    def read(self) -> int:
        """Number of windows that are read."""
        windows = self.scan.windows(newest_first, HOUR, expected=Expected(1.0))
        return sum(1 for _ in self.scan.results(windows, self._select))

    def _select(self, piece: Piece, missing: int) -> Select:
        self.missing.append(missing)
        return Select("n", [piece.span.condition])

    def _answer(self, _: Statement) -> Result:
        self.clock.advance(0.25)
        if len(self.reader.statements) >= self._slow_from:
            raise QueryTooExpensive("time", "too slow")
        return Result(("n",), [(1,), (2,)], Cost(10, 100))


def test_no_more_rows_than_wanted_are_read_and_each_window_requests_the_missing_rows() -> None:
    setup = Setup()

    assert (setup.read(), setup.missing, setup.scan.found_rows) == (3, [5, 3, 1], 6)
    assert setup.reader.timeouts_secs == [1.0, 0.75, 0.5]
    assert setup.scan.cost == Cost(30, 300)
    assert not setup.scan.is_out_of_time


def test_when_the_time_is_up_nothing_more_is_begun() -> None:
    setup = Setup(wanted_rows=20)
    setup.clock.advance(0.5)

    assert setup.read() == len(setup.reader.statements) == 2
    assert setup.scan.is_out_of_time


def test_a_window_that_takes_too_long_ends_the_scan_after_the_one_before() -> None:
    setup = Setup(slow_from=3)

    assert setup.read() == 2
    assert setup.scan.is_out_of_time
    assert setup.scan.last_read is not None
    read_before, last_read, too_slow = (statement.sql for statement in setup.reader.statements)
    assert setup.scan.last_read.condition in last_read
    assert setup.scan.last_read.condition not in read_before + too_slow


def test_a_timeout_in_the_first_window_returns_nothing() -> None:
    with pytest.raises(QueryTooExpensive):
        Setup(slow_from=1).read()


def test_a_scan_for_no_rows_runs_no_query() -> None:
    setup = Setup(wanted_rows=0)

    assert (setup.read(), setup.reader.statements) == (0, [])


def queries_over(answer: Callable[[Statement], Result]) -> QueryService:
    return QueryService(LogTable(ScriptedReader(answer)), now_ns=lambda: NOW_NS, clock=Clock())


def failing_after(count: int, part: str) -> Callable[[Statement], Result]:
    """Returns results for `count` statements with this text, and for all others."""
    statements: list[Statement] = []

    def answer(statement: Statement) -> Result:
        if part in statement.sql:
            statements.append(statement)
            if len(statements) > count:
                raise QueryTooExpensive("time", "too slow")
        return result_of(statement)

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
    queries = queries_over(failing_after(windows, " < (fromUnixTimestamp64Nano({id_ns"))

    found = queries.surroundings.around(LOG, same="", before=5, after=0, timeout_secs=1)

    assert len(found.rows) == windows + 1
    assert not found.is_complete

"""One log by its id, and the logs before and after it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from app.domain.statement import Cost
from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.errors import BadParameter, NoSuchLog
from app.query.fields import named
from app.query.log_id import LogId
from app.query.log_row import LogRow, RowShape
from app.query.log_table import Select
from app.query.order import AFTER, BEFORE, NEWEST_FIRST, OLDEST_FIRST, cursor_parameters
from app.query.time_range import SECOND_NS, TimeRange
from app.query.tree import Equals, Everything, Node
from app.query.windowed_scan import Deadline, Piece, Scans
from app.query.windows import Expected, newest_first, oldest_first

_FAR_NS: Final = 24 * 3600 * SECOND_NS  # related logs are closer than that, and each further day costs a query
SAME: Final = {"service": "service", "host": "host", "trace": "trace_id"}
"""The values of `same`, each with the field that the neighbours must share."""


class Context(Struct, frozen=True):
    """Logs, oldest first, including the requested one."""

    rows: list[LogRow]
    is_complete: bool
    """False if the query timed out before a whole day before and after the log was read."""
    cost: Cost


class _Side(Struct, frozen=True):
    """The logs before a log, or after it: how to cut the range into windows, the range, the condition, the order."""

    cut: Callable[..., Iterator[TimeRange]]
    span: TimeRange
    where: str
    order: str


class Surroundings:
    """Finds one log and its neighbours. Shared by threads."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._table = scans.table

    def log(self, log_id: LogId, *, timeout_secs: float, fields: Sequence[str] = ()) -> tuple[LogRow, Cost]:
        """One log, with all fields or the chosen ones.

        Raises:
            NoSuchLog: there is no log with this id.
            QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
        """
        shape = RowShape(fields)
        where = [
            TimeRange(log_id.timestamp_ns, log_id.timestamp_ns + 1).condition,
            "_topic_id = {id_topic_id:String}",
            "_partition = {id_partition:UInt16}",
            "_offset = {id_offset:UInt64}",
            "_item = {id_item:UInt16}",
        ]
        select = Select(shape.select, where, "LIMIT 1", {**cursor_parameters(log_id), **shape.parameters})
        result = self._table.run(select, timeout_secs=timeout_secs)
        rows = shape.read(result)
        if not rows:
            raise NoSuchLog(f"There is no log {log_id}: it never existed, or its retention has passed.")
        return rows[0], result.cost

    def around(self, log_id: LogId, *, same: str | None, before: int, after: int, timeout_secs: float) -> Context:
        """A log with up to `before` logs before it and `after` logs after it, at most a day away.

        `same` names the field that they must share with it (a key of `SAME`), "" for none; None means the service, if
        the log has one.

        Raises:
            NoSuchLog: see `log`.
            BadParameter: the log does not have the field that `same` names.
        """
        deadline = self._scans.deadline(timeout_secs)
        log, cost = self.log(log_id, timeout_secs=timeout_secs)
        same = ("service" if log.fields["service"] else "") if same is None else same
        shared = self._table.condition(_shared(log, same))
        moment = log_id.timestamp_ns
        back, forth = TimeRange(max(0, moment - _FAR_NS), moment + 1), TimeRange(moment, moment + _FAR_NS)
        there = Expected(self._scans.expected(TimeRange(moment, moment + 1), shared).rows_per_sec)
        nearest = partial(self._nearest, log_id, shared, there, deadline)
        earlier = nearest(_Side(newest_first, back, BEFORE, f"ORDER BY {NEWEST_FIRST}"), before)
        later = nearest(_Side(oldest_first, forth, AFTER, f"ORDER BY {OLDEST_FIRST}"), after)
        return Context(
            [*reversed(earlier.rows), log, *later.rows],
            earlier.is_complete and later.is_complete,
            cost + earlier.cost + later.cost,
        )

    def _nearest(
        self, log_id: LogId, shared: Condition, expected: Expected, deadline: Deadline, side: _Side, wanted: int
    ) -> Context:
        """Up to `wanted` rows on one side of a log, the nearest first."""
        shape, rows = RowShape(), list[LogRow]()
        scan = self._scans.begin(deadline, wanted)

        def select(window: Piece, missing: int) -> Select:
            return Select(
                shape.select,
                [window.span.condition, shared.sql, side.where],
                f"{side.order} LIMIT {missing:d}",
                {**cursor_parameters(log_id), **shape.parameters, **shared.parameters},
            )

        try:
            for result in scan.results(scan.windows(side.cut, side.span, expected=expected), select):
                rows += shape.read(result)
        except QueryTooExpensive:  # the log alone is a result too
            return Context(rows, False, scan.cost)
        return Context(rows, not scan.is_out_of_time, scan.cost)


def _shared(log: LogRow, same: str) -> Node:
    """The tree that matches the logs with the same value of a field as this one.

    Raises:
        BadParameter: this log does not have the field.
    """
    if not same:
        return Everything()
    value = log.fields["resource"].get("host.name", "") if same == "host" else log.fields[SAME[same]]
    if not value:
        raise BadParameter("same", f"same={same}: this log has no {same}")
    return Equals(named(SAME[same]), value)

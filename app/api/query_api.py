"""The query endpoints of /api/v1 and their handlers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from flask import Response
from pydantic import BaseModel

from app.api.admission import Admission, StreamSlots
from app.api.authentication import Right
from app.api.endpoint import Endpoint, Request, Success
from app.api.formats import MEDIA_TYPES, as_csv, as_ndjson
from app.api.parameters import (
    ContextParameters,
    FieldsParameters,
    HistogramParameters,
    LogParameters,
    LogsParameters,
    Parameters,
    StatsParameters,
    ValuesParameters,
)
from app.api.responses import (
    ContextAnswer,
    FieldsAnswer,
    HistogramAnswer,
    LogAnswer,
    LogsAnswer,
    Statistics,
    StatsAnswer,
    ValuesAnswer,
)
from app.domain.event_time import rfc3339
from app.domain.statement import Cost
from app.query.errors import BadParameter
from app.query.functions import read_functions
from app.query.language import parse
from app.query.log_id import LogId
from app.query.log_row import LogRow
from app.query.search import Page, Search
from app.query.service import AggregateResult, QueryService, names_in
from app.query.time_range import SECOND_NS
from app.query.tree import Query
from app.settings import QuerySettings

_Parameters = TypeVar("_Parameters", bound=Parameters)

_MAX_JSON_ROWS = 10_000
_PAGE_ROWS = 5_000  # of a stream, in one query
_STREAM_WAIT_SECS = 60.0  # a client that holds half of an export waits longer than a new one
_MOST_GROUPS, _MOST_STEPS = 100, 10_000  # without a limit in the request


class QueryApi:
    """Handles requests. Shared by threads."""

    def __init__(
        self,
        queries: QueryService,
        limits: QuerySettings,
        admission: Admission,
        streams: StreamSlots,
        clock: Callable[[], float],
    ) -> None:
        self._of_everybody = queries
        self._streams = streams
        self._limits = limits
        self._admission = admission
        self._clock = clock

    def endpoints(self) -> list[Endpoint[Any]]:
        """All query endpoints, except the tail."""
        streams = MEDIA_TYPES.values()
        return [
            _get("/logs", "Matching logs, newest first", LogsParameters, LogsAnswer, self.logs, *streams),
            _get("/logs/{id}", "One log", LogParameters, LogAnswer, self.log),
            _get("/logs/{id}/context", "Logs before and after one log", ContextParameters, ContextAnswer, self.context),
            _get("/histogram", "Counts over time", HistogramParameters, HistogramAnswer, self.histogram),
            _get("/stats", "Aggregates, in total or over time", StatsParameters, StatsAnswer, self.stats),
            _get("/fields", "Fields of matching logs", FieldsParameters, FieldsAnswer, self.fields),
            _get("/fields/{+name}/values", "Values of a field", ValuesParameters, ValuesAnswer, self.values),
        ]

    def logs(self, request: Request[LogsParameters]) -> LogsAnswer | Response:
        """`GET /logs`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        if asked.format == "json" and asked.limit > _MAX_JSON_ROWS:
            raise BadParameter("limit", f"limit={asked.limit} is more than the {_MAX_JSON_ROWS:,} of a JSON answer")
        span = queries.span(asked.start, asked.end)
        page_rows = asked.limit if asked.format == "json" else min(asked.limit, _PAGE_ROWS)
        query = parse(asked.query)
        search = queries.search(query.tree, span, fields=names_in(asked.fields), limit=page_rows, cursor=asked.cursor)
        if asked.format != "json":
            return self._streams.hold(lambda: self._stream(queries, search, asked))
        page = queries.page(search, timeout_secs=self._timeout_secs(asked))
        return LogsAnswer(
            rows=[row.as_object() for row in page.rows],
            complete=page.is_complete,
            hints=_hints(query),
            next_cursor=str(page.next_cursor) if page.next_cursor else None,
            statistics=self._statistics(started_at, page.cost),
        )

    def _stream(self, queries: QueryService, search: Search, asked: LogsParameters) -> Response:
        first = queries.page(search, timeout_secs=self._timeout_secs(asked))
        pages = self._pages(queries, search, first, asked)
        lines = as_ndjson(pages) if asked.format == "ndjson" else as_csv(pages, search.shape.names)
        return Response(lines, content_type=MEDIA_TYPES[asked.format])

    def _pages(
        self, queries: QueryService, search: Search, page: Page, asked: LogsParameters
    ) -> Iterator[Sequence[LogRow]]:
        """Page after page, each a query of its own, so that a long stream does not keep a slot from others.

        An error on the way breaks the connection, so a stream that ends normally is complete.
        """
        left = asked.limit - len(page.rows)
        yield page.rows
        while page.next_cursor is not None and left > 0:
            with self._admission.slot(wait_secs=_STREAM_WAIT_SECS):
                search = replace(search.after(page.next_cursor), limit=min(left, _PAGE_ROWS))
                page = queries.page(search, timeout_secs=self._timeout_secs(asked))
            left -= len(page.rows)
            yield page.rows

    def log(self, request: Request[LogParameters]) -> LogAnswer:
        """`GET /logs/{id}`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        row, cost = queries.surroundings.log(_read_id(asked.id), timeout_secs=self._timeout_secs(asked))
        return LogAnswer(log=row.as_object(), statistics=self._statistics(started_at, cost))

    def context(self, request: Request[ContextParameters]) -> ContextAnswer:
        """`GET /logs/{id}/context`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        found = queries.surroundings.around(
            _read_id(asked.id),
            same=asked.same,
            before=asked.before,
            after=asked.after,
            timeout_secs=self._timeout_secs(asked),
        )
        rows = [row.as_object() for row in found.rows]
        return ContextAnswer(rows=rows, complete=found.is_complete, statistics=self._statistics(started_at, found.cost))

    def histogram(self, request: Request[HistogramParameters]) -> HistogramAnswer:
        """`GET /histogram`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        span = queries.span(asked.start, asked.end)
        query = parse(asked.query)
        aggregate = queries.histogram(query.tree, span, by=names_in(asked.by), interval=asked.interval)
        aggregates = queries.aggregates(aggregate, timeout_secs=self._timeout_secs(asked))
        return HistogramAnswer(
            rows=_records(aggregates),
            complete=aggregates.is_complete,
            hints=_hints(query),
            statistics=self._statistics(started_at, aggregates.answer.cost),
            interval_secs=aggregate.interval_secs or 0,
            start=rfc3339(span.start_ns),
            end=rfc3339(span.end_ns),
        )

    def stats(self, request: Request[StatsParameters]) -> StatsAnswer:
        """`GET /stats`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        span = queries.span(asked.start, asked.end)
        query = parse(asked.query)
        aggregate = queries.stats(
            query.tree,
            span,
            functions=read_functions(asked.function, asked.field),
            by=names_in(asked.by),
            interval=asked.interval,
            limit=asked.limit or (_MOST_STEPS if asked.interval else _MOST_GROUPS),
        )
        aggregates = queries.aggregates(aggregate, timeout_secs=self._timeout_secs(asked))
        return StatsAnswer(
            rows=_records(aggregates),
            complete=aggregates.is_complete,
            hints=_hints(query),
            statistics=self._statistics(started_at, aggregates.answer.cost),
            approximate={
                function.name: function.approximation for function in aggregate.functions if function.approximation
            },
        )

    def fields(self, request: Request[FieldsParameters]) -> FieldsAnswer:
        """`GET /fields`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        query = parse(asked.query)
        found = queries.facets.fields(
            query.tree,
            queries.span(asked.start, asked.end),
            prefix=asked.prefix,
            limit=asked.limit,
            timeout_secs=self._timeout_secs(asked),
        )
        return FieldsAnswer(
            rows=[{"name": name, "count": count} for name, count in found.counts],
            complete=found.is_complete,
            hints=_hints(query),
            statistics=self._statistics(started_at, found.cost),
            looked_at=found.looked_at,
        )

    def values(self, request: Request[ValuesParameters]) -> ValuesAnswer:
        """`GET /fields/{name}/values`."""
        asked, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        query = parse(asked.query)
        found = queries.facets.values(
            asked.name,
            query.tree,
            queries.span(asked.start, asked.end),
            prefix=asked.prefix,
            limit=asked.limit,
            timeout_secs=self._timeout_secs(asked),
        )
        return ValuesAnswer(
            rows=[{"value": value, "count": count} for value, count in found.counts],
            complete=found.is_complete,
            hints=_hints(query),
            statistics=self._statistics(started_at, found.cost),
        )

    def _queries(self, request: Request[Any]) -> QueryService:
        """Queries within the caller's scope; handlers have no other way to run one."""
        return self._of_everybody.within(request.principal.scope)

    def _timeout_secs(self, asked: Parameters) -> float:
        return self._limits.granted_secs(asked.timeout_ms)

    def _statistics(self, started_at: float, cost: Cost) -> Statistics:
        took_ms = round((self._clock() - started_at) * 1000)
        return Statistics(took_ms=took_ms, rows_read=cost.rows_read, bytes_read=cost.bytes_read)


def _hints(query: Query) -> list[str] | None:
    return [str(hint) for hint in query.hints] or None


def _get(
    path: str,
    summary: str,
    parameters: type[_Parameters],
    answer: type[BaseModel],
    handle: Callable[[Request[_Parameters]], BaseModel | Response],
    *streams: str,
) -> Endpoint[_Parameters]:
    """An endpoint that responds with JSON, or with a stream of one of these media types."""
    success = Success.of_json(answer, *streams)
    return Endpoint(path=path, right=Right.READ, summary=summary, parameters=parameters, handle=handle, success=success)


def _read_id(text: str) -> LogId:
    try:
        return LogId.read(text)
    except ValueError as error:
        raise BadParameter("id", str(error)) from error


def _records(aggregates: AggregateResult) -> list[dict[str, Any]]:
    """Rows by name; times as text."""
    records = [dict(zip(aggregates.asked.columns, row, strict=True)) for row in aggregates.rows]
    if aggregates.asked.interval_secs:
        for record in records:
            record["time"] = rfc3339(record["time"] * SECOND_NS)
    return records

"""The query endpoints of /api/v1 and their handlers."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from flask import Response
from msgspec.structs import replace
from pydantic import BaseModel
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from app.access.principal import Right
from app.api.admission import Admission, StreamSlots
from app.api.bounded_pages import PartSize, read_page
from app.api.credential_check import CredentialCheck
from app.api.endpoint import Endpoint, Request, Success
from app.api.formats import MEDIA_TYPES, Pages, as_csv, as_ndjson
from app.api.held_bytes import HeldBytes
from app.api.json_pages import JsonPage
from app.api.parameters import (
    ContextParameters,
    CsvParameters,
    FieldsParameters,
    HistogramParameters,
    LogParameters,
    LogsParameters,
    NdjsonParameters,
    Parameters,
    StatsParameters,
    ValuesParameters,
)
from app.api.request_head import RequestHead
from app.api.responses import (
    ContextResponse,
    FieldsResponse,
    HintResponse,
    HistogramResponse,
    LogResponse,
    LogsResponse,
    Statistics,
    StatsResponse,
    ValuesResponse,
)
from app.domain.event_time import rfc3339
from app.domain.statement import Cost
from app.errors import Abandoned
from app.query.errors import BadParameter
from app.query.functions import read_functions
from app.query.language import parse
from app.query.log_id import LogId
from app.query.search import Page, Search
from app.query.service import AggregateResult, QueryService, names_in
from app.query.time_range import SECOND_NS
from app.query.tree import Hint, Query
from app.settings import QuerySettings

_Parameters = TypeVar("_Parameters", bound=Parameters)

_JSON_ROWS, _MAX_JSON_ROWS = 100, 10_000
_NO_LIMIT = sys.maxsize
_HELD_BYTES = 32_000_000  # of pages that are not read yet: ingestion needs the rest of the memory
_STREAM_WAIT_SECS = 60.0  # a client that has half of an export waits longer than a new one
_NDJSON = Success(
    'A log a line, as in `rows` of JSON. If `limit` has cut the stream, its last line is {"_next_cursor": "..."}.',
    {MEDIA_TYPES["ndjson"]: None},
)
_CSV = Success(
    "A log a line, after a line of names. If `limit` has cut the stream, its last line is `next_cursor=...`.",
    {MEDIA_TYPES["csv"]: None},
)
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
        self._unscoped = queries
        self._streams = streams
        self._limits = limits
        self._admission = admission
        self._held = HeldBytes(_HELD_BYTES, max_share=limits.max_share_percent / 100)
        self._clock = clock

    def endpoints(self) -> list[Endpoint[Any]]:
        """All query endpoints, except the tail."""
        return [
            *self._logs_in_every_format(),
            _get("/logs/{id}", "One log", LogParameters, LogResponse, self.log),
            _get(
                "/logs/{id}/context",
                "Logs before and after one log",
                ContextParameters,
                ContextResponse,
                self.context,
            ),
            *(
                replace(endpoint, methods=("GET", "POST"))
                for endpoint in (
                    _get("/histogram", "Counts over time", HistogramParameters, HistogramResponse, self.histogram),
                    _get("/stats", "Aggregates, in total or over time", StatsParameters, StatsResponse, self.stats),
                    _get("/fields", "Fields of matching logs", FieldsParameters, FieldsResponse, self.fields),
                    _get("/fields/{+name}/values", "Values of a field", ValuesParameters, ValuesResponse, self.values),
                )
            ),
        ]

    def _logs_in_every_format(self) -> Iterator[Endpoint[Any]]:
        """`GET /logs` and `POST /logs/search`, with a suffix for each format but JSON."""
        logs = _get("/logs", "Matching logs, newest first", LogsParameters, LogsResponse, self.logs)
        ndjson = replace(logs, parameters=NdjsonParameters, success=_NDJSON, summary="Matching logs as NDJSON")
        csv = replace(logs, parameters=CsvParameters, success=_CSV, summary="Matching logs as CSV")
        for suffix, endpoint in {"": logs, ".ndjson": ndjson, ".csv": csv}.items():
            get = replace(endpoint, path=f"/logs{suffix}")
            # POST /logs is kept for sending logs.
            search = replace(get, path=f"/logs/search{suffix}", methods=("POST",), operation_id=f"search_{get.name}")
            yield from (get, search)

    def logs(self, request: Request[LogsParameters]) -> Response:
        """`GET /logs` in every format."""
        parameters, queries = request.parameters, self._queries(request)
        kind = parameters.format or _accepted(request.head)
        limit = parameters.limit or (_JSON_ROWS if kind == "json" else None)
        if kind == "json" and limit and limit > _MAX_JSON_ROWS:
            raise BadParameter("limit", f"limit={limit} exceeds {_MAX_JSON_ROWS:,}, the most for format=json")
        span = queries.span(parameters.start, parameters.end)
        page_rows = limit if limit and kind == "json" else min(limit or PartSize().rows, PartSize().rows)
        query = parse(parameters.query)
        fields, cursor = names_in(parameters.fields), parameters.cursor
        search = queries.search(query.tree, span, fields=fields, limit=page_rows, cursor=cursor)
        if kind != "json":
            return self._streams.hold(request.client, lambda: self._stream(queries, search, kind, limit, request))
        holding = self._held.begin(request.client)
        try:
            return self._page(queries, query, search, JsonPage(holding), request)
        except BaseException:
            holding.release()
            raise

    def _page(
        self, queries: QueryService, query: Query, search: Search, rows: JsonPage, request: Request[LogsParameters]
    ) -> Response:
        started_at = self._clock()
        ends_at = started_at + self._timeout_secs(request.parameters)
        end = read_page(lambda part: queries.page(part, timeout_secs=ends_at - self._clock()), search, rows.add)
        is_empty = rows.count == 0 and end.is_complete and search.cursor is None
        looked = self._second_look(queries, query, search, ends_at - self._clock()) if is_empty else ()
        request.count_rows(rows.count)
        return rows.response(
            LogsResponse(
                rows=[],
                complete=end.is_complete,
                hints=_hints([*query.hints, *looked]),
                next_cursor=str(end.next_cursor) if end.next_cursor else None,
                statistics=self._statistics(started_at, end.cost),
            )
        )

    def _second_look(self, queries: QueryService, query: Query, search: Search, left_secs: float) -> Sequence[Hint]:
        """What a search that found nothing at all may have meant."""
        return queries.second_look.hints(query, search.span, timeout_secs=left_secs) if left_secs > 0 else ()

    def _stream(
        self, queries: QueryService, search: Search, kind: str, limit: int | None, request: Request[LogsParameters]
    ) -> Response:
        timeout_secs = self._timeout_secs(request.parameters)
        first = queries.page(search, timeout_secs=timeout_secs)
        pages = _counted(self._pages(queries, search, first, limit, timeout_secs, request.client), request.count_rows)
        if kind == "csv":
            lines = as_csv(pages, search.shape.names, escape_formulas=request.parameters.escape_formulas)
        else:
            lines = as_ndjson(pages)
        check = CredentialCheck(request.is_still_allowed, self._clock)
        response = Response(check.until_failure(lines), content_type=MEDIA_TYPES[kind])
        response.headers["Content-Disposition"] = f'attachment; filename="logs.{kind}"'
        return response

    def _pages(
        self, queries: QueryService, search: Search, page: Page, limit: int | None, timeout_secs: float, client: str
    ) -> Pages:
        """The pages, each a query of its own, so that a long stream does not occupy a slot all the time.

        An error closes the connection early, so a stream that ends normally is complete, or says where it was cut; or
        its client has gone.
        """
        left, size = _NO_LIMIT if limit is None else limit, PartSize()
        while True:
            left -= len(page.rows)
            size.add(page.rows)
            if page.next_cursor is None or left <= 0:
                yield page.rows, str(page.next_cursor) if page.next_cursor else ""
                return
            yield page.rows, ""
            search = replace(search.after(page.next_cursor), limit=min(left, size.rows))
            try:
                with self._admission.slot(client, wait_secs=_STREAM_WAIT_SECS):
                    page = queries.page(search, timeout_secs=timeout_secs)
            except Abandoned:
                return

    def log(self, request: Request[LogParameters]) -> LogResponse:
        """`GET /logs/{id}`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        row, cost = queries.surroundings.log(read_id(parameters.id), timeout_secs=self._timeout_secs(parameters))
        return LogResponse(log=row.as_object(), statistics=self._statistics(started_at, cost))

    def context(self, request: Request[ContextParameters]) -> ContextResponse:
        """`GET /logs/{id}/context`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        found = queries.surroundings.around(
            read_id(parameters.id),
            same=parameters.same,
            before=parameters.before,
            after=parameters.after,
            timeout_secs=self._timeout_secs(parameters),
        )
        return ContextResponse(
            rows=[row.as_object() for row in found.rows],
            complete=found.is_complete,
            statistics=self._statistics(started_at, found.cost),
        )

    def histogram(self, request: Request[HistogramParameters]) -> HistogramResponse:
        """`GET /histogram`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        span = queries.span(parameters.start, parameters.end)
        query = parse(parameters.query)
        aggregate = queries.histogram(query.tree, span, by=names_in(parameters.by), interval=parameters.interval)
        aggregates = queries.aggregates(aggregate, timeout_secs=self._timeout_secs(parameters))
        return HistogramResponse(
            rows=_records(aggregates),
            complete=aggregates.is_complete,
            hints=_hints(query.hints),
            statistics=self._statistics(started_at, aggregates.result.cost),
            interval_secs=aggregate.interval_secs or 0,
            start=rfc3339(span.start_ns),
            end=rfc3339(span.end_ns),
        )

    def stats(self, request: Request[StatsParameters]) -> StatsResponse:
        """`GET /stats`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        span = queries.span(parameters.start, parameters.end)
        query = parse(parameters.query)
        aggregate = queries.stats(
            query.tree,
            span,
            functions=read_functions(parameters.function, parameters.field),
            by=names_in(parameters.by),
            interval=parameters.interval,
            limit=parameters.limit or (_MOST_STEPS if parameters.interval else _MOST_GROUPS),
        )
        aggregates = queries.aggregates(aggregate, timeout_secs=self._timeout_secs(parameters))
        return StatsResponse(
            rows=_records(aggregates),
            complete=aggregates.is_complete,
            hints=_hints(query.hints),
            statistics=self._statistics(started_at, aggregates.result.cost),
            approximate={
                function.name: function.approximation for function in aggregate.functions if function.approximation
            },
        )

    def fields(self, request: Request[FieldsParameters]) -> FieldsResponse:
        """`GET /fields`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        query = parse(parameters.query)
        found = queries.facets.fields(
            query.tree,
            queries.span(parameters.start, parameters.end),
            prefix=parameters.prefix,
            limit=parameters.limit,
            timeout_secs=self._timeout_secs(parameters),
        )
        return FieldsResponse(
            rows=[{"name": name, "count": count} for name, count in found.counts],
            complete=found.is_complete,
            hints=_hints(query.hints),
            statistics=self._statistics(started_at, found.cost),
            looked_at=found.looked_at,
        )

    def values(self, request: Request[ValuesParameters]) -> ValuesResponse:
        """`GET /fields/{name}/values`."""
        parameters, queries = request.parameters, self._queries(request)
        started_at = self._clock()
        query = parse(parameters.query)
        found = queries.facets.values(
            parameters.name,
            query.tree,
            queries.span(parameters.start, parameters.end),
            prefix=parameters.prefix,
            limit=parameters.limit,
            timeout_secs=self._timeout_secs(parameters),
        )
        return ValuesResponse(
            rows=[{"value": value, "count": count} for value, count in found.counts],
            complete=found.is_complete,
            hints=_hints(query.hints),
            statistics=self._statistics(started_at, found.cost),
        )

    def _queries(self, request: Request[Any]) -> QueryService:
        """Queries within the caller's scope, until the client disconnects; handlers have no other way to run one."""
        return self._unscoped.within(request.principal.scope).until(request.cancellation)

    def _timeout_secs(self, parameters: Parameters) -> float:
        return self._limits.granted_secs(parameters.timeout_ms)

    def _statistics(self, started_at: float, cost: Cost) -> Statistics:
        took_ms = round((self._clock() - started_at) * 1000)
        return Statistics(took_ms=took_ms, rows_read=cost.rows_read, bytes_read=cost.bytes_read)


def _counted(pages: Pages, count_rows: Callable[[int], None]) -> Pages:
    for rows, next_cursor in pages:
        count_rows(len(rows))
        yield rows, next_cursor


def _hints(hints: Sequence[Hint]) -> list[HintResponse] | None:
    of_query = {hint.query or hint.message: hint for hint in reversed(hints)}  # the first hint of each query
    return [
        HintResponse(message=hint.message, query=hint.query or None) for hint in reversed(of_query.values())
    ] or None


def _accepted(head: RequestHead) -> str:
    """The format that the Accept header prefers; JSON if it names none of them."""
    kinds = {"application/json": "json", **{kind.partition(";")[0]: name for name, kind in MEDIA_TYPES.items()}}
    accepted = parse_accept_header(head.headers.get("Accept"), MIMEAccept)
    return kinds.get(accepted.best_match(kinds) or "", "json")


def _get(
    path: str,
    summary: str,
    parameters: type[_Parameters],
    response: type[BaseModel],
    handle: Callable[[Request[_Parameters]], BaseModel | Response],
) -> Endpoint[_Parameters]:
    """An endpoint that responds with JSON."""
    return Endpoint(
        path=path,
        right=Right.READ,
        summary=summary,
        tags=("logs" if path.startswith("/logs") else "aggregates",),
        parameters=parameters,
        handle=handle,
        success=Success.of_json(response),
    )


def read_id(text: str) -> LogId:
    """The id of a log; raises BadParameter."""
    try:
        return LogId.read(text)
    except ValueError as error:
        raise BadParameter("id", str(error)) from error


def _records(aggregates: AggregateResult) -> list[dict[str, Any]]:
    """Rows by name; times as text."""
    columns = aggregates.query.columns
    records = [dict(zip(columns, row, strict=True)) for row in aggregates.rows]
    if aggregates.query.interval_secs:
        for record in records:
            record["time"] = rfc3339(record["time"] * SECOND_NS)
    return records

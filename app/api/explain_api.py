"""/api/v1/logs/{id}/explain: how a stored log was read."""

from collections.abc import Callable

from app.access.principal import Right
from app.api.endpoint import Endpoint, Request, Success
from app.api.parameters import LogParameters
from app.api.query_api import read_id
from app.api.responses import ExplainResponse, SourceOfField, Statistics
from app.explain.stored import NEEDED, StoredExplainer, StoredExplanation, StoredRow
from app.query.service import QueryService
from app.settings import QuerySettings


class ExplainApi:
    """Explains logs of the caller's scope. Shared by threads."""

    def __init__(
        self, queries: QueryService, explainer: StoredExplainer, limits: QuerySettings, clock: Callable[[], float]
    ) -> None:
        self._queries = queries
        self._explainer = explainer
        self._limits = limits
        self._clock = clock

    def endpoint(self) -> Endpoint[LogParameters]:
        """`GET /logs/{id}/explain`."""
        return Endpoint(
            path="/logs/{id}/explain",
            right=Right.READ,
            summary="How one log was read",
            tags=("logs",),
            parameters=LogParameters,
            handle=self.explain,
            success=Success.of_json(ExplainResponse),
        )

    def explain(self, request: Request[LogParameters]) -> ExplainResponse:
        """The row is looked up within the caller's scope before Kafka is asked for its record."""
        started_at = self._clock()
        log_id = read_id(request.parameters.id)
        queries = self._queries.within(request.principal.scope).until(request.cancellation)
        timeout_secs = self._limits.granted_secs(request.parameters.timeout_ms)
        row, cost = queries.surroundings.log(log_id, timeout_secs=timeout_secs, fields=NEEDED)
        found = self._explainer.explain(
            StoredRow(log_id.topic_id, log_id.partition, log_id.offset, log_id.item, row.fields)
        )
        took_ms = round((self._clock() - started_at) * 1000)
        return _response(found, Statistics(took_ms=took_ms, rows_read=cost.rows_read, bytes_read=cost.bytes_read))


def _response(found: StoredExplanation, statistics: Statistics) -> ExplainResponse:
    one = found.one
    return ExplainResponse.model_validate(
        {
            "basis": found.basis.value,
            "note": found.note,
            "form": list(one.forms) if one else [],
            "time_from": one.time_from.name.lower() if one else None,
            "sources": [
                SourceOfField(field=name, source=note.source, text=note.text, rule=note.rule)
                for name, note in (one.sources if one else {}).items()
            ],
            "settings": dict(one.settings) if one else {},
            "differences": list(found.differences),
            "reader": found.reader,
            "reader_now": found.reader_now,
            "statistics": statistics,
        }
    )

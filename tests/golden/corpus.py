"""Renders the service's output for fixed inputs: one text per file of this folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pyarrow as pa
from prometheus_client import CollectorRegistry

from app.api.admission import Admission, StreamSlots
from app.api.app import create_app
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.tail_routes import TailApi
from app.domain.event_time import EventTimeBounds
from app.domain.records import Partition, RecordChunk
from app.domain.rows import SCHEMA
from app.domain.statement import Statement
from app.environment import setting_names
from app.health import Health
from app.http.refusal import SECURITY_HEADERS as HEADERS
from app.http.request_id import HEADER as REQUEST_ID
from app.metrics import Metrics
from app.pipeline.decode import decode
from app.query.attribute_reference import resolved
from app.query.log_table import LogTable
from app.query.service import QueryService
from app.settings import QuerySettings
from tests.fakes import ScriptedReader
from tests.query.results import NOW_NS, result_of
from tests.support.explaining import explain_api

FOLDER: Final = Path(__file__).parent
_RECORD_MS: Final = NOW_NS // 1_000_000
_CHUNK_RECORDS: Final = 100

QUERIES: Final = (
    *("", "*", "timeout", "Time*", '"card declined"', "a-b", "ü", "timeout AND NOT refused", "-timeout", "(a OR b) c"),
    *("level:error", "level:>=warn", "level:[info TO error}", "level:e*", "level:unknown", "level:*"),
    *("service:checkout", "service:pay*", 'service:""', "service:(a OR b)", "user_id:123", "trace_id:4bf92f"),
    *("response_time_ms:>500", "response_time_ms:[1 TO 2.5]", "response_time_ms:0.1", "_exists_:trace_id"),
    *(
        "timestamp:>=2026-11-23",
        "timestamp:[2026-11-23 TO 2026-11-24}",
        "partition:1",
        "offset:>=5",
        "severity_number:9",
    ),
    *(
        "http.route:/pay",
        "attributes.http.route:/p*",
        "resource.host.name:pod-1",
        "host:pod-1",
        "http.status_code:>=500",
    ),
    *('host:"" OR host:*', "raw:x", "_raw:x", "parse_error:*", "msg:hello", "userId:7 service:a level:warn timeout"),
    *("user_id:123 AND trace_id:9", "or", "levl:error", "level:eror", "message_id:5"),
    *("(", "a)", "level:", 'service:"x', "timestamp:now", "level:>=x", "response_time_ms:>abc", "a*b", "\\d", "!"),
)
_QUERIES_OF_ALL_PATHS: Final = ("", "userId:7 service:a level:warn timeout", "trace_id:9")
PATHS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "logs": (
        {},
        {"limit": "2"},
        {"fields": "message,level,http.route,host,_raw,_ingested,response_time_ms,attributes,id"},
        {"format": "ndjson", "limit": "3"},
        {"format": "csv", "limit": "3"},
    ),
    "histogram": ({}, {"by": "", "interval": "5m"}, {"by": "http.route", "start": "now-30d"}),
    "stats": (
        {},
        {"function": "avg,p99,count", "field": "response_time_ms", "by": "service", "start": "now-26h"},
        {
            "function": "sum,min,max,p50,count_distinct",
            "field": "http.size",
            "by": "level,http.route",
            "interval": "1h",
        },
        {"function": "count", "by": "user_id", "limit": "5", "start": "now-7d"},
        {"function": "count_distinct", "field": "user_id"},
    ),
    "fields": ({}, {"prefix": "a", "limit": "3"}),
    "fields/level/values": ({}, {"prefix": "E"}),
    "fields/http.route/values": ({},),
    "fields/host/values": ({},),
}
_LOG: Final = "1795435199000000000-2-100-0-topic-id"
_OTHER_PATHS: Final = (
    f"logs/{_LOG}",
    *(f"logs/{_LOG}/context?same={same}" for same in ("", "service", "host", "trace")),
    f"logs/{_LOG}/context?before=2&after=1",
    f"logs/{_LOG}/explain",
    "logs.ndjson?limit=3",
    "logs.csv?limit=3",
    "logs.csv?format=json",
    "logs?cursor=x",
    "logs?limt=5",
    "logs?start=yesterday",
    "stats?function=mean",
    "stats?function=avg&field=service",
    "logs/x",
    "nowhere",
    "logs/tail?query=level:error",
    "logs/tail?last_id=topic-id:0:5:0,topic-id:1:7:2",
    "openapi.json",
)


def rows() -> str:
    """A line of JSON per row of the table."""
    values, headers = records()
    lines = []
    for first in range(0, len(values), _CHUNK_RECORDS):
        some = values[first : first + _CHUNK_RECORDS]
        chunk = RecordChunk(
            partition=Partition("logs", 2),
            topic_id="topic-id",
            offsets=list(range(first, first + len(some))),
            timestamps_ms=[_RECORD_MS] * len(some),
            values=some,
            headers=headers[first : first + _CHUNK_RECORDS],
            next_offset=first + len(some),
        )
        decoded = decode(chunk, EventTimeBounds.of_retention(30))
        lines += [json.dumps(row, default=_plain, sort_keys=True) for row in _as_rows(decoded.rows)]
        lines.append(json.dumps({"problems": dict(sorted(decoded.problems.items()))}))
    return "\n".join(lines) + "\n"


def statements() -> str:
    """Every statement of the queries, with bound parameters."""
    return _statements_and_responses()[0]


def answers() -> str:
    """Responses of the API over a ClickHouse whose values depend only on the statement."""
    return _statements_and_responses()[1]


def names() -> str:
    """Settings with their defaults, and series with their labels."""
    settings = [f"{name} = {field.get_default(call_default_factory=True)!r}" for name, field in setting_names().items()]
    described = Metrics(CollectorRegistry(), version="").described
    series = [f"{one.name} {one.kind} {','.join(one.labels)}" for one in described]
    return "\n".join([*settings, *series]) + "\n"


FILES: Final[Mapping[str, Callable[[], str]]] = {
    "rows.jsonl": rows,
    "statements.txt": statements,
    "answers.txt": answers,
    "names.txt": names,
}


def records() -> tuple[list[bytes | None], list[list[tuple[str, bytes | None]]]]:
    values: list[bytes | None] = []
    headers: list[list[tuple[str, bytes | None]]] = []
    for line in (FOLDER / "records.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "base64" in record:
            values.append(base64.b64decode(record["base64"]))
        else:
            values.append(None if "tombstone" in record else record["text"].encode())
        headers.append([(name, text.encode()) for name, text in record.get("headers", [])])
    return values, headers


def _as_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    index = SCHEMA.get_field_index("Timestamp")
    yield from batch.set_column(index, "Timestamp", batch["Timestamp"].cast(pa.int64())).to_pylist()


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


@cache
def _statements_and_responses() -> tuple[str, str]:
    """The statements and the response of each request."""
    requests: list[str] = []
    responses: list[str] = []
    for path in _paths():
        reader = ScriptedReader(lambda statement: result_of(_resolved(statement)))
        metrics = Metrics(CollectorRegistry(), version="0")
        queries = QueryService(LogTable(reader), now_ns=lambda: NOW_NS, clock=lambda: 0.0)
        admission, streams = Admission(1, wait_secs=0), StreamSlots(1, metrics.query_streams)
        api = QueryApi(queries, QuerySettings(), admission, streams, lambda: 0.0)
        looks = iter([False, True])
        tail = TailApi(queries, streams, is_stopping=lambda looks=looks: next(looks))  # type: ignore[misc]
        client = create_app(
            Health(), metrics.registry, query_routes(api, tail, explain_api(queries), admission, metrics)
        ).test_client()
        answer = client.get(f"/api/v1/{path}")
        headers = dict(header for header in answer.headers.items() if header not in HEADERS.items())
        headers.pop("Content-Length", None)  # a stream has none
        requests.append(
            f"GET {path}\n" + "".join(f"  {_written(_resolved(statement))}\n" for statement in reader.statements)
        )
        text = answer.text.replace(f',"request_id":"{headers.pop(REQUEST_ID)}"', "")  # which differs each time
        responses.append(f"GET {path}\n  {answer.status_code} {json.dumps(headers)}\n  {text}\n")
    return "\n".join(requests), "\n".join(responses)


def _written(statement: Statement) -> str:
    return f"{statement.sql}\n    {json.dumps(dict(statement.parameters))}"


def _resolved(statement: Statement) -> Statement:
    """The statement for a table without columns for attributes."""
    return Statement(resolved(statement.sql, statement.parameters), statement.parameters)


def _paths() -> Iterator[str]:
    """Every query on two endpoints, and every endpoint with a few queries."""
    for query in QUERIES:
        yield f"logs?{urlencode({'query': query, 'limit': 2, 'fields': 'message'})}"
        yield f"stats?{urlencode({'query': query, 'by': 'service'})}"
    for query, path in product(_QUERIES_OF_ALL_PATHS, PATHS):
        for parameters in PATHS[path]:
            yield f"{path}?{urlencode({'query': query, **parameters})}"
    yield from _OTHER_PATHS

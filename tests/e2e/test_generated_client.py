"""A client that openapi-python-client generates from the description of a served application: every operation."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from inspect import get_annotations
from itertools import cycle
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import pytest
import yaml

from app.settings import QuerySettings
from local.paths import ROOT
from tests.e2e.generated_client import GeneratedClient, generate, operations_of
from tests.e2e.query_table import TOPIC_ID, Log, QueryTable
from tests.explorer.site import Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

SERVICES: Final = ("checkout", "search")
HOUR_MS: Final = (int(time.time()) // 3_600 - 1) * 3_600_000
"""When an hour began that has ended."""
EVENTS: Final[list[tuple[int, dict[str, Any]]]] = [
    (
        HOUR_MS + 1_800_123 - number * 1_000,
        {
            "service": SERVICES[number % 2],
            "level": "ERROR" if number % 3 else "INFO",
            "message": f"payment {number} declined",
            "user_id": f"user-{number}",
            "trace_id": f"{number:032x}",
            "host": "host-1",
            "attributes": {"http.route": f"/r{number}"},
            **({"response_time_ms": number + 0.5} if number % 4 else {}),
        },
    )
    for number in range(1, 13)
]
FOUND: Final = [event for _, event in EVENTS if event["level"] == "ERROR"]
QUERY: Final = {"query": "level:error", "start": str(HOUR_MS), "end": str(HOUR_MS + 3_600_000)}
SETTINGS: Final = ROOT / "docs" / "openapi-python-client.yaml"


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    made.store(EVENTS)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def site(table: QueryTable) -> Iterator[Site]:
    """An application whose tails end after one look at the table."""
    looks = cycle([False, True])
    served = Site(lambda _: table.application(QuerySettings(), lambda: next(looks)))
    yield served
    served.close()


@pytest.fixture(scope="module")
def description(site: Site) -> Mapping[str, Any]:
    with urlopen(f"{site.url}api/v1/openapi.json") as answer:
        read: Mapping[str, Any] = json.load(answer)
    return read


@pytest.fixture(scope="module")
def client(
    site: Site, description: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GeneratedClient]:
    folder = tmp_path_factory.mktemp("generated")
    done = generate(folder, "log_client", description, yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
    assert (done.returncode, done.stderr) == (0, "")
    made = GeneratedClient(folder / "log_client", operations_of(description), site.url)
    with made.connection:
        yield made


# What operations return, compared with what was stored.

Check = Callable[[GeneratedClient, Any, Sequence[Log]], None]


def newest_first(logs: Sequence[Log]) -> list[Log]:
    return sorted(logs, key=lambda log: log.time_ms, reverse=True)


def errors(logs: Sequence[Log]) -> list[Log]:
    return [log for log in logs if log.event["level"] == "ERROR"]


def time_of(time_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)


def check_row(client: GeneratedClient, row: Any, log: Log) -> None:
    assert isinstance(row, client.models.Log)
    assert (row.id, row.timestamp, row.offset) == (log.id, time_of(log.time_ms), log.offset)
    names = ("service", "level", "message", "user_id", "trace_id")
    assert [getattr(row, name) for name in names] == [log.event[name] for name in names]
    assert row.response_time_ms == log.event.get("response_time_ms")
    assert row.attributes.additional_properties == log.event["attributes"]
    assert row.resource.additional_properties == {"host.name": "host-1"}


def check_logs(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    for row, log in zip(found.rows, newest_first(errors(logs)), strict=True):
        check_row(client, row, log)
    assert found.complete is True
    assert found.statistics.rows_read >= len(FOUND)
    assert not found.next_cursor


def check_ndjson(client: GeneratedClient, text: str, logs: Sequence[Log]) -> None:
    rows = [client.models.Log.from_dict(json.loads(line)) for line in text.splitlines()]
    for row, log in zip(rows, newest_first(errors(logs)), strict=True):
        check_row(client, row, log)


def check_csv(client: GeneratedClient, text: str, logs: Sequence[Log]) -> None:
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["id"], row["message"]) for row in rows] == [
        (log.id, log.event["message"]) for log in newest_first(errors(logs))
    ]


def check_log(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    check_row(client, found.log, logs[5])


def check_explanation(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    assert (found.basis, found.form, found.time_from) == ("record", ["JSON"], "written")
    sources = {source.field: (source.source, source.text) for source in found.sources}
    assert sources["message"] == ("key message", logs[5].event["message"])


def check_context(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    for row, log in zip(found.rows, [logs[7], logs[5], logs[3]], strict=True):  # of the same service, oldest first
        check_row(client, row, log)


def check_tail(client: GeneratedClient, text: str, logs: Sequence[Log]) -> None:
    rows = [client.models.Log.from_dict(event) for event in map(json.loads, data_of(text)) if event]
    for row, log in zip(rows, errors(logs[1:]), strict=True):  # in the order in which they were stored
        check_row(client, row, log)


def data_of(events: str) -> list[str]:
    return [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]


def check_bars(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    hour = time_of(HOUR_MS)
    assert (found.start, found.end, found.interval_secs) == (hour, hour + timedelta(hours=1), 3_600)
    assert {(type(row), row.time, row["service"], row.count) for row in found.rows} == {
        (client.models.Bar, hour, name, len(of_service(name))) for name in SERVICES
    }


def of_service(name: str) -> list[dict[str, Any]]:
    return [event for event in FOUND if event["service"] == name]


def check_stats(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    sums = {name: sum(event.get("response_time_ms", 0) for event in of_service(name)) for name in SERVICES}
    assert {(type(row), row.time, row["service"], row["sum"]) for row in found.rows} == {
        (client.models.Group, time_of(HOUR_MS), name, total) for name, total in sums.items()
    }
    assert found.approximate.additional_properties == {}


def check_fields(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    counts = {row.name: row.count for row in found.rows if isinstance(row, client.models.FieldCount)}
    assert counts["http.route"] == len(FOUND)
    assert found.looked_at == len(FOUND)


def check_values(client: GeneratedClient, found: Any, logs: Sequence[Log]) -> None:
    counts = {row.value: row.count for row in found.rows if isinstance(row, client.models.ValueCount)}
    assert counts == {event["attributes"]["http.route"]: 1 for event in FOUND}


BARS: Final = {**QUERY, "by": "service", "interval": "1h"}
STATS: Final = {**QUERY, "function": "sum", "field": "response_time_ms", "by": "service", "interval": "1h"}
VALUES: Final = {**QUERY, "name": "http.route"}
ID: Final = f"{EVENTS[5][0] * 1_000_000}-0-5-0-{TOPIC_ID}"
CALLS: Final[Mapping[str, tuple[Mapping[str, Any], Check]]] = {
    "logs": (QUERY, check_logs),
    "search_logs": (QUERY, check_logs),
    "logs_ndjson": (QUERY, check_ndjson),
    "search_logs_ndjson": (QUERY, check_ndjson),
    "logs_csv": ({**QUERY, "limit": 1_000, "escape_formulas": False}, check_csv),
    "search_logs_csv": ({**QUERY, "limit": 1_000, "escape_formulas": False}, check_csv),
    "logs_id": ({"id": ID}, check_log),
    "logs_id_explain": ({"id": ID}, check_explanation),
    "logs_id_context": ({"id": ID, "before": 1, "after": 1}, check_context),
    "logs_tail": ({"query": "level:error", "last_id": f"{TOPIC_ID}:0:0:0"}, check_tail),
    "histogram": (BARS, check_bars),
    "post_histogram": (BARS, check_bars),
    "stats": (STATS, check_stats),
    "post_stats": (STATS, check_stats),
    "fields": ({**QUERY, "prefix": "http"}, check_fields),
    "post_fields": ({**QUERY, "prefix": "http"}, check_fields),
    "fields_name_values": (VALUES, check_values),
    "post_fields_name_values": (VALUES, check_values),
}


def test_every_operation_is_called(description: Mapping[str, Any]) -> None:
    assert operations_of(description).keys() == CALLS.keys() | {"send_logs"}


@pytest.mark.parametrize("is_list", [True, False])
def test_logs_can_be_sent(client: GeneratedClient, is_list: bool) -> None:
    event = client.models.SentEvent(service="shop", message="hello")
    event["any"] = "thing"

    response = client.module("send_logs").sync_detailed(
        client=client.connection, body=[event, event] if is_list else event, service="shop"
    )

    assert response.status_code == 200, response.content
    assert (response.parsed.stored, response.parsed.problems) == (2 if is_list else 1, [])


def test_lines_of_text_can_be_sent(client: GeneratedClient) -> None:
    sent = client.connection.get_httpx_client().post(
        "/api/v1/logs", content="INFO one\nINFO two", headers={"Content-Type": "text/plain"}
    )

    assert client.models.SentResponse.from_dict(sent.json()).stored == 2


@pytest.mark.parametrize("operation", CALLS)
def test_an_operation_returns_what_is_stored(client: GeneratedClient, table: QueryTable, operation: str) -> None:
    parameters, check = CALLS[operation]

    response = client.call(operation, parameters)

    assert response.status_code == 200, response.content
    assert [response.headers["Content-Type"]] == [*client.operations[operation]["responses"]["200"]["content"]]
    check(client, response.parsed, table.logs)


@pytest.mark.parametrize("operation", CALLS)
def test_an_error_of_an_operation_is_an_object(client: GeneratedClient, operation: str) -> None:
    parameters, _ = CALLS[operation]
    wrong = {"id": "1-2-3-4-no-topic"} if "id" in parameters else {"query": "level:("}

    response = client.call(operation, {**parameters, **wrong})

    assert isinstance(response.parsed, client.models.ErrorResponse)
    error = response.parsed.error
    if "id" in parameters:
        assert (response.status_code, error.code) == (404, "no_such_log")
    else:
        assert (response.status_code, error.code, error.parameter, error.position) == (400, "bad_query", "query", 7)


def test_pages_follow_each_other(client: GeneratedClient, table: QueryTable) -> None:
    first = client.call("logs", {**QUERY, "limit": 5}).parsed
    second = client.call("logs", {**QUERY, "cursor": first.next_cursor}).parsed

    assert [row.id for row in (*first.rows, *second.rows)] == [log.id for log in newest_first(errors(table.logs))]


@pytest.mark.parametrize("operation", ["logs_tail", "logs_ndjson", "logs_csv"])
def test_a_stream_can_be_read_line_by_line(client: GeneratedClient, operation: str) -> None:
    request = client.module(operation)._get_kwargs(**CALLS[operation][0])

    with client.connection.get_httpx_client().stream(**request) as response:
        lines = list(response.iter_lines())

    assert sum("declined" in line for line in lines) >= len(FOUND) - 1  # the tail begins after the first log


def test_no_field_is_untyped(client: GeneratedClient) -> None:
    types = {
        f"{model}.{name}": kind
        for model in client.models.__all__
        for name, kind in get_annotations(getattr(client.models, model)).items()
        if name != "additional_properties"
    }

    assert types["Log.timestamp"] == "datetime.datetime | Unset"
    assert types["Log.response_time_ms"] == "float | None | Unset"
    assert types["LogsResponse.rows"] == "list[Log]"
    assert [name for name, kind in types.items() if "Any" in kind] == []


def test_with_default_settings_only_ndjson_is_left_as_bytes(
    site: Site, description: Mapping[str, Any], tmp_path: Path, table: QueryTable
) -> None:
    done = generate(tmp_path, "default_log_client", description, {})
    client = GeneratedClient(tmp_path / "default_log_client", operations_of(description), site.url)
    with client.connection:
        response = client.call("logs_ndjson", QUERY)

    assert done.stderr.count("WARNING parsing") == done.stderr.count(".ndjson within logs") == 2
    assert response.parsed is None
    check_ndjson(client, response.content.decode(), table.logs)

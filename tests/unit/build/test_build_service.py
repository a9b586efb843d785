"""The components of an instance by its roles, without connections."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.build.service import build
from app.component import Component
from app.environment import read_settings
from app.http.server import HttpServer


def components_of(**environ: str) -> list[Component]:
    return build(read_settings(environ))


def application_of(**environ: str) -> Flask:
    http = components_of(**environ)[0]
    assert isinstance(http, HttpServer)
    application = http.application
    assert isinstance(application, Flask)
    return application


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["http", "clocks", "query", "ingest", "audit"]),
        ({"AUDIT_INTERVAL_SECS": "0"}, ["http", "clocks", "query", "ingest"]),
        ({"ROLES": "ingest"}, ["http", "clocks", "ingest", "audit"]),
        ({"ROLES": "query"}, ["http", "clocks", "query"]),
    ],
)
def test_an_instance_has_the_components_of_its_roles(environ: dict[str, str], names: list[str]) -> None:
    assert [component.name for component in components_of(**environ)] == names


@pytest.mark.parametrize(
    ("roles", "problems"),
    [
        ("ingest,query", {"kafka", "clickhouse", "partitions", "clickhouse reader"}),
        ("ingest", {"kafka", "clickhouse", "partitions"}),
        ("query", {"clickhouse reader"}),
    ],
)
def test_readiness_covers_only_running_components(roles: str, problems: set[str]) -> None:
    answer = application_of(ROLES=roles).test_client().get("/ready")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["problems"].keys() == problems


@pytest.mark.parametrize(
    ("roles", "names"),
    [("ingest,query", {"clocks", "query", "ingest", "audit"}), ("query", {"clocks", "query"})],
)
def test_health_covers_only_running_components(roles: str, names: set[str]) -> None:
    details: Any = application_of(ROLES=roles).test_client().get("/health").json

    assert details["components"].keys() == names


def test_health_names_the_reader_and_what_it_is_made_from() -> None:
    def reader_of(**environ: str) -> Any:
        details: Any = application_of(ROLES="ingest", **environ).test_client().get("/health").json
        return details["components"]["ingest"]["reader"]

    usual, other = reader_of(), reader_of(CLICKHOUSE_RETENTION_DAYS="40")

    assert usual.keys() == {"name", "version", "zone_rules", "settings"}
    assert usual["name"] == reader_of(BATCH_MAX_ROWS="5")["name"] != other["name"]
    assert other["settings"] == usual["settings"] | {"CLICKHOUSE_RETENTION_DAYS": "40"}


def test_the_api_and_the_explorer_come_with_the_role_query() -> None:
    paths = {
        role: {rule.rule for rule in application_of(ROLES=role).url_map.iter_rules()} for role in ("ingest", "query")
    }

    status = {"/live", "/ready", "/health", "/metrics"}
    assert paths["ingest"] == status
    assert status | {"/", "/api/v1/logs", "/api/v1/logs/tail"} <= paths["query"]


def test_series_are_those_of_the_roles() -> None:
    text = application_of(ROLES="query").test_client().get("/metrics").text

    assert "log_query_running" in text
    assert "log_ingest_assigned_partitions" not in text
    assert "log_ingest_build_info" in text


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("a.example", 200), ("b.example", 200), ("c.example", 421), ("[", 421)],
)
def test_the_allowed_hosts_are_a_list(host: str, status: int) -> None:
    client = application_of(HTTP_ALLOWED_HOSTS="a.example, b.example,").test_client()

    assert client.get("/health", headers={"Host": host}).status_code == status

"""The components of an instance by its roles, without connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import CollectorRegistry

from app.access.principal import Right
from app.access.token_lines import line_of
from app.access.tokens import Token, digest_of, new_secret
from app.build.access import token_store
from app.build.service import build
from app.component import Component
from app.environment import read_settings
from app.errors import BadSettings
from app.health import Health
from app.http.server import HttpServer
from app.metrics import Metrics


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
        ({}, ["http", "clocks", "query", "receive", "ingest", "audit"]),
        ({"AUDIT_INTERVAL_SECS": "0"}, ["http", "clocks", "query", "receive", "ingest"]),
        ({"ROLES": "ingest"}, ["http", "clocks", "ingest", "audit"]),
        ({"ROLES": "query"}, ["http", "clocks", "query"]),
        ({"ROLES": "receive"}, ["http", "clocks", "receive"]),
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
        ("receive", {"kafka publisher"}),
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


def test_the_public_address_is_an_allowed_host() -> None:
    client = application_of(
        AUTH_MODE="oidc",
        AUTH_OIDC_ISSUER="https://issuer.example",
        AUTH_OIDC_CLIENT_ID="logs",
        AUTH_OIDC_RIGHTS="@example.org read",
        AUTH_PUBLIC_URL="https://logs.example:8443",
    ).test_client()

    statuses = [client.get("/login", headers={"Host": f"{name}.example:8443"}).status_code for name in ("logs", "x")]
    assert statuses == [200, 421]


SECRET = new_secret()
TOKEN = line_of(Token("grafana", (Right.READ,), digest_of(SECRET)))


def status_of(application: Flask, path: str = "/api/v1/logs/x", *, secret: str = "") -> int:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    with application.test_client().get(path, headers=headers) as answer:
        return answer.status_code


def test_tokens_close_the_api_and_open_it_for_those_who_have_one(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(TOKEN)

    for environ in ({"AUTH_TOKENS": TOKEN}, {"AUTH_TOKENS_FILE": str(file)}):
        application = application_of(ROLES="query", **environ)

        assert (status_of(application), status_of(application, secret=SECRET)) == (401, 400)


def test_every_path_but_probes_files_and_documents_needs_a_token() -> None:
    application = application_of(AUTH_TOKENS=TOKEN)
    client, open_to_all = application.test_client(), set()
    for rule in application.url_map.iter_rules():
        path = rule.rule.replace("<", "").replace(">", "").replace("path:", "")
        for method in (rule.methods or set()) - {"OPTIONS"}:
            with client.open(path, method=method) as answer:
                if answer.status_code != 401:
                    open_to_all.add(path)

    documents = {f"/api/v1/{name}" for name in ("openapi.json", "docs", "docs.css", "docs.js")}
    probes = {"/live", "/ready", "/health", "/metrics"}
    probes_of_clients = {"/services/collector/health", "/services/collector/health/1.0"}
    pages = {"/", "/explorer/version/name", "/login", "/logout"}
    assert open_to_all == pages | probes | probes_of_clients | documents


@pytest.mark.parametrize("environ", [{}, {"AUTH_MODE": "none"}])
def test_without_tokens_everybody_who_can_connect_may_do_everything(environ: dict[str, str]) -> None:
    assert status_of(application_of(ROLES="query", **environ)) == 400


@pytest.mark.parametrize(
    ("content", "problem"), [("grafana read", "line 1, column 1: must be like NAME"), ("\xff", "is not UTF-8 text")]
)
def test_a_wrong_token_file_stops_the_start(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(content, encoding="latin-1")

    with pytest.raises(BadSettings) as caught:
        application_of(AUTH_TOKENS_FILE=str(file))

    [sentence] = caught.value.problems
    assert sentence.startswith(f"AUTH_TOKENS_FILE={file}: ")
    assert problem in sentence


def test_a_token_file_that_breaks_later_is_a_warning_and_a_metric(tmp_path: Path) -> None:
    file, health, metrics = tmp_path / "tokens", Health(), Metrics(CollectorRegistry(), version="1")
    file.write_text(TOKEN)
    seconds = iter(range(0, 100, 2))
    settings = read_settings({"AUTH_TOKENS_FILE": str(file)}).auth
    store = token_store(settings, metrics, health, clock=lambda: next(seconds))

    def broken() -> float | None:
        return metrics.registry.get_sample_value("log_ingest_token_file_broken")

    def replace(content: str) -> None:
        other = tmp_path / "new"
        other.write_text(content)
        other.replace(file)

    replace("grafana")
    assert store.of_secret(SECRET) is not None
    assert "line 1" in health.warnings()["tokens"]
    assert broken() == 1

    replace("# none")
    assert store.of_secret(SECRET) is None
    assert (health.warnings(), broken()) == ({}, 0)


def test_the_service_is_not_built_where_others_reach_it_and_nothing_says_who_may_read() -> None:
    with pytest.raises(BadSettings, match="AUTH_MODE=none"):
        components_of(HTTP_HOST="0.0.0.0")  # noqa: S104

    assert status_of(application_of(HTTP_HOST="0.0.0.0", AUTH_TOKENS=TOKEN)) == 401  # noqa: S104


def test_a_port_of_metrics_serves_the_probes_and_no_logs() -> None:
    servers = [part for part in build(read_settings({"METRICS_PORT": "9090"})) if isinstance(part, HttpServer)]

    assert len(servers) == 2
    assert isinstance(servers[1].application, Flask)
    client = servers[1].application.test_client()
    statuses = {path: client.get(path).status_code for path in ("/live", "/health", "/metrics", "/", "/api/v1/logs")}
    assert statuses == {"/live": 200, "/health": 200, "/metrics": 200, "/": 404, "/api/v1/logs": 404}


def test_the_port_of_metrics_is_another_one() -> None:
    with pytest.raises(BadSettings, match="METRICS_PORT=8080 must be another port than HTTP_PORT"):
        read_settings({"METRICS_PORT": "8080"})


def test_instances_that_store_logs_remove_what_has_expired_if_there_are_rules() -> None:
    rules = "debug-*:3"

    assert "retention" in [part.name for part in components_of(RETENTION_DAYS_BY_SERVICE=rules)]
    for without in (
        {},
        {"RETENTION_DAYS_BY_SERVICE": rules, "RETENTION_INTERVAL_SECS": "0"},
        {"RETENTION_DAYS_BY_SERVICE": rules, "ROLES": "query"},
    ):
        assert "retention" not in [part.name for part in components_of(**without)]

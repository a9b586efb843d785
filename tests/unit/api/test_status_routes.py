"""Status endpoints for orchestrators, people and Prometheus."""

from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from app.access.principal import UNKNOWN, Principal, Right
from app.api.app import create_app
from app.api.authentication import CredentialAuthenticator
from app.health import LIVE_WITHIN_SECS, Health, ServiceHealth
from app.metrics import Metrics
from app.query.language import parse
from app.query.scope import Scope
from app.version import VERSION
from tests.fakes import Clock


@dataclass
class Served:
    """The routes and their health."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        problems = {"kafka": "not connected yet", "clickhouse": "not connected yet"}
        self.health = Health(self.clock, problems=problems, has_loop=True)
        registry = CollectorRegistry()
        Metrics(registry, version=VERSION)
        self.http: FlaskClient = create_app(self.health, registry).test_client()

    def all_well(self) -> None:
        for part in self.health.problems():
            self.health.report(part, None)


@pytest.fixture
def served() -> Served:
    return Served()


def test_a_service_that_starts_is_alive_and_not_ready(served: Served) -> None:
    assert served.http.get("/live").status_code == 200
    answer = served.http.get("/ready")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "problems": {"kafka": "not connected yet", "clickhouse": "not connected yet"},
    }


def test_a_service_without_problems_is_ready(served: Served) -> None:
    served.all_well()

    answer = served.http.get("/ready")

    assert (answer.status_code, answer.json) == (200, {"status": "ready", "problems": {}})


def test_trouble_with_kafka_or_clickhouse_is_no_reason_for_a_restart(served: Served) -> None:
    served.all_well()
    served.health.report("clickhouse", "cannot insert")

    assert served.http.get("/live").status_code == 200
    answer = served.http.get("/ready")
    assert (answer.status_code, answer.json) == (
        503,
        {"status": "not ready", "problems": {"clickhouse": "cannot insert"}},
    )


def test_a_loop_that_stands_still_is_a_reason_for_a_restart(served: Served) -> None:
    served.all_well()
    served.clock.advance(LIVE_WITHIN_SECS)

    answer = served.http.get("/live")

    assert (answer.status_code, answer.json) == (503, {"status": "stuck"})
    served.health.turned()
    assert served.http.get("/live").json == {"status": "live"}


def test_health_shows_everything_and_always_returns_200(served: Served) -> None:
    served.health.report("clickhouse", None)
    served.health.warn("clickhouse clock", "2.0 s ahead of ours")
    served.health.note(consumer_lag=None, committed_offsets={"logs/0": 12})
    served.clock.advance(LIVE_WITHIN_SECS)

    answer = served.http.get("/health")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "not ready",
        "is_live": False,
        "version": VERSION,
        "problems": {"kafka": "not connected yet"},
        "warnings": {"clickhouse clock": "2.0 s ahead of ours"},
        "consumer_lag": None,
        "committed_offsets": {"logs/0": 12},
        "seconds_since_loop_turned": LIVE_WITHIN_SECS,
    }


def test_metrics_are_text_of_prometheus(served: Served) -> None:
    answer = served.http.get("/metrics")

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    names = {family.name for family in parse_text(answer.text)}
    assert {"log_ingest_rows_inserted", "log_ingest_end_to_end_latency_seconds", "log_ingest_build_info"} <= names


def test_metrics_are_openmetrics_on_request(served: Served) -> None:
    answer = served.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
    assert "log_ingest_rows_inserted" in {family.name for family in families}


@pytest.mark.parametrize("path", ["/live", "/ready", "/health", "/metrics"])
def test_a_head_request_is_answered_like_get_without_the_body(served: Served, path: str) -> None:
    answer = served.http.head(path)

    assert answer.status_code == served.http.get(path).status_code
    assert answer.data == b""


def test_two_applications_share_nothing(served: Served) -> None:
    other = Served()
    served.all_well()

    assert other.http.get("/ready").status_code == 503
    assert served.http.get("/ready").status_code == 200


@pytest.mark.parametrize(
    ("principal", "sees_details"),
    [
        (Principal("reader", (Right.READ,)), True),
        (Principal("limited", (Right.READ,), Scope(parse("service:a").tree)), False),
        (Principal("shipper", (Right.INGEST,)), False),
        (UNKNOWN, False),
    ],
)
def test_reasons_and_details_are_for_those_who_may_read_every_log(principal: Principal, sees_details: bool) -> None:
    health = Health(problems={"clickhouse": "http://10.0.0.5:8123 does not answer"})
    health.warn("clocks", "10.0.0.5 is ahead")
    health.note(offset=123456)
    report = ServiceHealth({"ingest": health})
    authenticator = CredentialAuthenticator([lambda head: None if principal is UNKNOWN else principal])
    http = create_app(report, CollectorRegistry(), authenticator=authenticator).test_client()

    ready, whole = http.get("/ready"), http.get("/health")

    assert (ready.status_code, whole.status_code) == (503, 200)
    for answer in (ready, whole):
        assert answer.json is not None
        assert list(answer.json["problems"]) == ["clickhouse"]
        assert ("10.0.0.5" in answer.text) == sees_details
    assert ("123456" in whole.text) == sees_details

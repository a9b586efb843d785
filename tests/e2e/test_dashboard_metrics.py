"""Every PromQL query of every dashboard, on a real Prometheus that scrapes a running service."""

from __future__ import annotations

import math
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from local.service import ServiceProcess
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, wait_until
from tests.e2e.prometheus import Prometheus, scraping
from tests.support.dashboards import DASHBOARDS, Query, expand_promql, queries
from tests.support.programs import find_program

PROMETHEUS: Final = find_program("prometheus")

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian: prometheus)"),
]

PROMQL: Final = [query for path in DASHBOARDS for query in queries(path) if query.datasource == "prometheus"]

# Series that do not exist while nothing goes wrong, and why.
ABSENT: Final = {
    "Failed inserts A": "there is a series only for what has happened, and every insert was stored",
    "Retried calls A": "there is a series only for errors that have happened",
    "Not stored A": "there is a series only for what has happened, and all logs over HTTP were stored",
    "Lost to retention A": "there is a series only for partitions that have lost records",
}
_SCRAPED: Final = "min(count_over_time(log_ingest_build_info[1m]))"
_SCRAPES: Final = 5
_SEEN: Final = "sum(min_over_time(log_ingest_messages_consumed_total[3s]))"  # in several scrapes
_BEHIND: Final = "sum(log_ingest_consumer_lag)"
# Longer than the tests take on a busy machine, because rates are queried after the last log.
_RATE_INTERVAL: Final = "2m"


@pytest.fixture(scope="module")
def prometheus(shared_pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped a service which stored logs, served queries and ran an audit."""
    service = shared_pipeline.start_service(AUDIT_INTERVAL_SECS="1")
    assert PROMETHEUS is not None
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [scraping(service.url.removeprefix("http://"))]}
    prometheus = Prometheus(PROMETHEUS, tmp_path_factory.mktemp("prometheus"), config)
    try:
        use(service, shared_pipeline, 1_000)
        prometheus.start()
        wait_until(lambda: prometheus.values(_SCRAPED) >= [_SCRAPES], "some scrapes")
        use(service, shared_pipeline, 2_000)
        wait_until(lambda: service.scrape().total("audit_stored_records") > 0, "an audit that has found records")
        service.wait_until(lambda scrape: scrape.total("consumer_lag") == 0, PATIENCE_SECS)
        wait_until(lambda: prometheus.values(_SEEN) == [2_000] and prometheus.values(_BEHIND) == [0], "all scraped")
        yield prometheus
    finally:
        prometheus.kill()


def use(service: ServiceProcess, pipeline: Pipeline, records_after: int) -> None:
    """Send logs, one of them unparsable and one over HTTP, until there are `records_after`, and query them."""
    pipeline.send([*(f"INFO line {number}" for number in range(998)), "{not JSON"])
    with urllib.request.urlopen(f"{service.url}/api/v1/logs", b'{"message": "over HTTP"}', timeout=10) as sent:
        assert sent.status == 200
    service.wait_until(lambda scrape: scrape.total("committed_offset") >= records_after, PATIENCE_SECS)
    assert service.get("/api/v1/stats").status == 200
    assert service.get("/api/v1/logs?query=(").status == 400


@pytest.mark.parametrize("query", PROMQL, ids=str)
def test_it_has_a_number_or_is_known_to_have_none(prometheus: Prometheus, query: Query) -> None:
    text = expand_promql(query.text, rate_interval=_RATE_INTERVAL, time_range="5m")

    if f"{query.title} {query.ref_id}" in ABSENT:
        assert prometheus.values(text) == []
    else:
        # A scrape that timed out on a busy machine hides all series until the next one.
        wait_until(lambda: are_numbers(prometheus.values(text)), "a number")


def are_numbers(values: Sequence[float]) -> bool:
    """Whether there are values, and none is NaN."""
    return bool(values) and not any(math.isnan(value) for value in values)


@pytest.mark.parametrize(
    ("title", "lowest", "highest"),
    [
        ("Stored per second", 1, 2000),
        ("Consumer lag", 0, 0),
        ("From Kafka to stored, p99", 0.01, 10),
        ("Reading", 0, 0),
        ("Storing", 0, 0),
        ("Disk used", 0.001, 1),
        ("Missing or duplicate", 0, 0),
        ("Since the last audit", 0, 30),
        ("Instances A", 1, 1),
        ("Instances B", 0, 1),  # those that are wanted: none while nothing arrives
    ],
)
def test_a_panel_shows_the_expected_value(prometheus: Prometheus, title: str, lowest: float, highest: float) -> None:
    stats = [query for query in PROMQL if query.kind == "stat"]
    queries = [query for query in stats if title in (query.title, f"{query.title} {query.ref_id}")]
    assert queries
    for query in queries:
        [found] = prometheus.values(expand_promql(query.text, rate_interval=_RATE_INTERVAL, time_range="5m"))
        assert lowest <= found <= highest

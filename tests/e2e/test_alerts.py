"""The shipped alerts on the shipped service: a real Prometheus watches while ClickHouse and Kafka stop and recover.

Time runs faster: waits and windows of the rules and the scrape interval are divided. Thresholds and the service are as
shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.service import ServiceProcess
from tests.e2e.pipeline import PATIENCE_SECS, Pipeline, Stream, wait_until
from tests.e2e.prometheus import Prometheus, Speed, watching
from tests.support.programs import find_program

PROMETHEUS = find_program("prometheus")

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian: prometheus)"),
]

# The service is not faster: it reports its lag every 5 seconds, and tries to reach Kafka every 10 to 20. A window must
# be longer than that, as the shipped ones are.
FOR_CLICKHOUSE = Speed(windows=20, waits=20)
FOR_KAFKA = Speed(windows=8, waits=30)
LINES_PER_SEC = 50
SOME = 100


@pytest.fixture
def service(pipeline: Pipeline) -> ServiceProcess:
    """An instance that reads."""
    return pipeline.start_service()


@pytest.fixture
def prometheus(request: pytest.FixtureRequest, service: ServiceProcess, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that has scraped the instance without an alert, at the speed of the parameter."""
    assert PROMETHEUS is not None
    directory = tmp_path / "prometheus"
    directory.mkdir()
    made = watching(PROMETHEUS, directory, service.url.removeprefix("http://"), request.param)
    try:
        made.start()
        wait_until(lambda: made.alerts() == {}, "no alert before anything happens")
        yield made
    finally:
        made.kill()


def require_alert(prometheus: Prometheus, name: str, end: Callable[[], None], begin: Callable[[], None]) -> set[str]:
    """Stop a system and start it again; require that the alert fires, stays and resolves. Returns all that fired."""

    def state() -> str | None:
        alerts = prometheus.alerts()
        fired.update(alert for alert, state in alerts.items() if state == "firing")
        return alerts.get(name)

    fired: set[str] = set()
    end()
    wait_until(lambda: state() == "pending", f"{name} pending")
    wait_until(lambda: state() == "firing", f"{name} firing")
    begin()
    wait_until(lambda: state() is None, f"{name} resolved")
    return fired


@pytest.mark.parametrize("prometheus", [FOR_CLICKHOUSE], indirect=True, ids=str)
def test_an_unavailable_engine_is_reported_until_rows_are_stored_again(
    pipeline: Pipeline, own_engine: EngineServer, service: ServiceProcess, prometheus: Prometheus
) -> None:
    with Stream(pipeline, lines_per_sec=LINES_PER_SEC) as stream:
        pipeline.wait_for_rows(SOME)
        fired = require_alert(prometheus, "LogIngestStalled", own_engine.kill, own_engine.start)

    assert fired <= {"LogIngestStalled", "LogIngestClickHouseErrors"}
    pipeline.require_once(stream.lines, service)


@pytest.mark.parametrize("prometheus", [FOR_KAFKA], indirect=True, ids=str)
def test_an_unavailable_kafka_is_reported_until_it_recovers(
    pipeline: Pipeline, own_kafka: KafkaServer, service: ServiceProcess, prometheus: Prometheus
) -> None:
    pipeline.send([f"line {number}" for number in range(SOME)])
    pipeline.wait_until_committed(service)
    # The service measures its lag at intervals, so it keeps reporting the last value after Kafka has stopped.
    service.wait_until(lambda scrape: scrape.total("consumer_lag") == 0, PATIENCE_SECS)

    fired = require_alert(prometheus, "LogIngestKafkaAway", own_kafka.kill, own_kafka.start)

    assert fired == {"LogIngestKafkaAway"}
    assert service.wait_until(lambda scrape: scrape.assigned > 0, PATIENCE_SECS)

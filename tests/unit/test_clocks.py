"""Clock skew to Kafka and ClickHouse: only certain differences count."""

import logging
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from app.clocks import Clocks, ClockWatch, certain_skew_secs
from app.errors import TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.telemetry.clocks import ClockTelemetry
from tests.fakes import Clock

AWAY = TryAgainLater("nobody answers", code="unreachable")


class World:
    """A service, a Kafka and a ClickHouse, with configurable clock skew."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.health = Health(self.clock)
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry, version="test")
        telemetry = ClockTelemetry("ClickHouse", metrics, self.health, is_read=True)
        self.clickhouse_ahead_secs = 0.0
        self.answer_takes_secs = 0.0
        self.error: Exception | None = None
        self.kafka = ClockWatch(
            ClockTelemetry("Kafka", metrics, self.health, is_read=False), clock=self.clock, wall_clock=self.clock
        )
        clickhouse = ClockWatch(telemetry, clock=self.clock, wall_clock=self.clock)
        self.clocks = Clocks(clickhouse, self.kafka, telemetry, self._read_ms)

    def _read_ms(self) -> int:
        if self.error is not None:
            raise self.error
        self.clock.advance(self.answer_takes_secs / 2)
        now_ms = int((self.clock.now + self.clickhouse_ahead_secs) * 1000)
        self.clock.advance(self.answer_takes_secs / 2)
        return now_ms

    def skew(self, system: str) -> float | None:
        return self.registry.get_sample_value("log_ingest_clock_skew_seconds", {"system": system})


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="app"):
        yield caplog


@pytest.mark.parametrize(
    ("least", "most", "certain"),
    [(2, 3, 2), (-3, -2, -2), (-1, 1, 0), (0, 5, 0), (-5, 0, 0), (4, float("inf"), 4), (-9, float("inf"), 0)],
)
def test_only_the_smaller_bound_of_a_difference_is_certain(least: float, most: float, certain: float) -> None:
    assert certain_skew_secs(least, most) == certain


# ClickHouse, which returns its time.


@pytest.mark.parametrize("ahead_secs", [0.0, 0.5, -0.5])
def test_clocks_that_differ_by_less_than_a_second_are_fine(world: World, ahead_secs: float) -> None:
    world.clickhouse_ahead_secs = ahead_secs

    world.clocks.check()

    assert world.skew("clickhouse") == pytest.approx(ahead_secs)
    assert world.health.details() == {"clickhouse_clock_skew_secs": ahead_secs, "kafka_clock_skew_secs": None}
    assert (world.health.problems(), world.health.warnings()) == ({}, {})


@pytest.mark.parametrize(
    ("ahead_secs", "words"), [(3.0, "3.0 s ahead of ours"), (-3.0, "3.0 s behind ours"), (9.9, "9.9 s ahead of ours")]
)
def test_more_than_a_second_is_a_warning(
    world: World, log: pytest.LogCaptureFixture, ahead_secs: float, words: str
) -> None:
    world.clickhouse_ahead_secs = ahead_secs

    world.clocks.check()
    world.clocks.check()

    assert world.health.problems() == {}
    assert words in world.health.warnings()["clickhouse clock"]
    [message] = log.messages
    assert f"ClickHouse's clock is {words}" in message


@pytest.mark.parametrize("ahead_secs", [11.0, -11.0])
def test_more_than_ten_seconds_is_a_reason_for_not_ready(world: World, ahead_secs: float) -> None:
    world.clickhouse_ahead_secs = ahead_secs

    world.clocks.check()

    assert "11.0 s" in world.health.problems()["clickhouse clock"]


def test_a_slow_response_is_not_taken_for_clock_skew(world: World) -> None:
    world.answer_takes_secs = 30

    world.clocks.check()

    assert world.skew("clickhouse") == 0


def test_a_clock_that_is_set_right_is_fine_after_a_minute(world: World, log: pytest.LogCaptureFixture) -> None:
    world.clickhouse_ahead_secs = 3600
    world.clocks.check()
    world.clickhouse_ahead_secs = 0

    world.clocks.check()
    assert "clickhouse clock" in world.health.problems()
    world.clock.advance(61)
    world.clocks.check()

    assert world.skew("clickhouse") == 0
    assert (world.health.problems(), world.health.warnings()) == ({}, {})
    assert "ClickHouse's clock is within 1 s of ours again" in log.messages


def test_an_unreadable_clock_is_retried_sooner_and_makes_the_service_not_ready_after_a_while(
    world: World,
) -> None:
    usual_secs = world.clocks.check()
    world.error = AWAY
    world.clock.advance(40)

    assert world.clocks.check() < usual_secs
    assert world.health.problems() == {}
    assert world.health.warnings() == {"clickhouse clock": "could not be read: nobody answers"}
    world.clock.advance(30)
    world.clocks.check()

    assert "clickhouse clock" in world.health.problems()
    assert world.skew("clickhouse") is None, "what was last seen does not stay"


# Kafka, which dates records.


def test_records_that_are_dated_later_than_now_show_a_clock_that_is_ahead(world: World) -> None:
    for waited_secs in (0.5, 0.2, 40):
        world.kafka.dated(int((world.clock.now + 12 - waited_secs) * 1000))

    assert world.skew("kafka") == pytest.approx(11.8)
    assert "11.8 s ahead" in world.health.problems()["kafka clock"]


def test_records_that_are_old_show_nothing(world: World) -> None:
    world.kafka.dated(int((world.clock.now - 3600) * 1000))

    assert world.skew("kafka") == 0
    assert (world.health.problems(), world.health.warnings()) == ({}, {})


def test_skew_measured_from_records_expires_without_new_records(world: World) -> None:
    world.kafka.dated(int((world.clock.now + 12) * 1000))
    world.clock.advance(61)

    world.clocks.check()

    assert world.skew("kafka") is None
    assert world.health.problems() == {}


@pytest.mark.parametrize("look", [lambda world: world.kafka.expire(), lambda world: world.clocks.check()])
def test_a_kafka_without_records_is_no_problem(world: World, look: Callable[[World], object]) -> None:
    world.clock.advance(10)

    look(world)

    assert world.skew("kafka") is None
    assert "kafka clock" not in {**world.health.problems(), **world.health.warnings()}

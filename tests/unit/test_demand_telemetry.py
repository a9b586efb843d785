"""What is reported to a controller that adds and removes instances."""

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry

from app.domain.records import Partition, RecordChunk
from app.errors import TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.scaling.demand import Target
from app.telemetry.ingest import IngestTelemetry
from tests.fakes import Clock

ONE, TWO = Partition("logs", 1), Partition("logs", 2)
NOW = 1_700_000_000.0


class World:
    """Telemetry of an instance that stores a hundred records per second."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.health = Health(self.clock)
        self.telemetry = IngestTelemetry(
            Metrics(self.registry, version="1"),
            self.health,
            clock=self.clock,
            wall_clock=lambda: NOW,
            target=Target(capacity_per_sec=100, catch_up_secs=60),
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"log_ingest_{name}", labels)

    @property
    def wanted(self) -> float:
        """Over all partitions that are reported."""
        return sum(self.value("wanted_instances", topic="logs", partition=str(n)) or 0 for n in (1, 2))

    def standing(self, ends: Mapping[Partition, int], committed: Mapping[Partition, int]) -> None:
        """Five seconds pass, and everything before `committed` is stored by then."""
        self.clock.advance(5)
        self.telemetry.committed(committed)
        self.telemetry.lag({partition: end - committed[partition] for partition, end in ends.items()})


@pytest.fixture
def world() -> World:
    world = World()
    world.telemetry.assigned({ONE: 0, TWO: 0})
    return world


def test_what_arrives_is_wanted_to_be_stored(world: World) -> None:
    for number in range(1, 4):
        world.standing({ONE: 200 * number, TWO: 100 * number}, {ONE: 200 * number, TWO: 100 * number})

    assert world.value("arrivals_per_second") == 60
    assert world.wanted == pytest.approx(0.75)
    assert world.value("lag_seconds", topic="logs", partition="1") == 0
    assert world.health.details()["lag_secs"] == 0
    assert world.health.details()["scaling"] == {
        "wanted_instances": 0.75,
        "arrivals_per_sec": 60,
        "capacity_per_sec": 100,
        "measured_capacity_per_sec": None,
    }


def test_a_backlog_wants_more_and_has_an_age(world: World) -> None:
    for number in range(1, 10):
        world.standing({ONE: 100 * number}, {ONE: 100, TWO: 0})

    assert world.wanted == pytest.approx(20 / 80 + (800 - 30 * 20) / 60 / 80)
    assert world.value("lag_seconds", topic="logs", partition="1") == pytest.approx(39.95)
    assert world.value("lag_seconds", topic="logs", partition="2") is None


def test_a_backlog_from_before_the_start_is_as_old_as_the_record_that_was_read_last(world: World) -> None:
    world.standing({ONE: 10_000}, {ONE: 0})
    assert world.value("lag_seconds", topic="logs", partition="1") == 0, "nothing is known yet"

    three_hours_ago = int((NOW - 10_800) * 1000)
    world.telemetry.consumed(RecordChunk(ONE, "id", [0], [three_hours_ago], [b"x"], [()], 1), {})
    world.standing({ONE: 10_000}, {ONE: 1})

    assert world.value("lag_seconds", topic="logs", partition="1") == 10_800


def test_the_capacity_is_measured_while_there_is_a_backlog(world: World) -> None:
    for number in range(1, 5):
        world.standing({ONE: 90_000, TWO: 0}, {ONE: 450 * number, TWO: 0})

    assert world.value("measured_capacity_per_second") == 90


def fail(world: World) -> None:
    world.telemetry.retrying(TryAgainLater("timed out", code="159"), 1)


def fill_disk(world: World) -> None:
    world.telemetry.disk(0.01, is_full=True)


def halt(world: World) -> None:
    world.telemetry.halted(ONE, "refused")


@pytest.mark.parametrize("hinder", [fail, fill_disk, halt])
def test_a_lag_that_no_instance_could_store_wants_none(world: World, hinder: object) -> None:
    assert callable(hinder)
    for number in range(1, 4):
        hinder(world)
        world.standing({ONE: 6000 + 100 * number, TWO: 0}, {ONE: 0, TWO: 0})

    assert world.wanted == pytest.approx(20 / 80)
    assert world.value("measured_capacity_per_second") == 0


def test_the_lag_wants_instances_again_when_clickhouse_has_recovered(world: World) -> None:
    fail(world)
    world.telemetry.answered()
    world.standing({ONE: 2400}, {ONE: 0})  # it was there when this instance came

    assert world.wanted == pytest.approx(0.5)


def test_lost_partitions_want_nothing_and_kept_ones_what_they_wanted(world: World) -> None:
    for number in range(1, 4):
        world.standing({ONE: 200 * number, TWO: 200 * number}, {ONE: 200 * number, TWO: 200 * number})
    assert world.wanted == pytest.approx(1)

    world.telemetry.assigned({TWO: 600})

    assert world.wanted == pytest.approx(0.5), "before its lag is known again"
    assert world.value("wanted_instances", topic="logs", partition="1") is None
    assert world.value("lag_seconds", topic="logs", partition="1") is None
    world.telemetry.closed()
    assert world.value("wanted_instances", topic="logs", partition="2") is None


def test_a_partition_whose_lag_was_never_known_is_not_reported_as_idle(world: World) -> None:
    world.standing({ONE: 200}, {ONE: 200, TWO: 0})

    assert world.value("wanted_instances", topic="logs", partition="1") == 0
    assert world.value("wanted_instances", topic="logs", partition="2") is None


def test_what_is_not_known_for_a_while_stays_wanted(world: World) -> None:
    for number in range(1, 3):
        world.standing({ONE: 200 * number, TWO: 0}, {ONE: 200 * number, TWO: 0})

    for _ in range(60):
        world.clock.advance(1)
        world.telemetry.turned(buffer_rows=0, buffer_bytes=0, is_paused=False)

    assert world.wanted == pytest.approx(0.5)
    assert world.value("lag_seconds", topic="logs", partition="1") is None
    assert world.health.details()["lag_secs"] is None

"""How many instances a load needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scaling.demand import UTILISATION, Load, Target, instances_of_group, wanted_instances

TARGET = Target(capacity_per_sec=1000, catch_up_secs=60)

loads = st.builds(Load, st.floats(0, 1e7), st.integers(0, 10**12))


@pytest.mark.parametrize(
    ("load", "wanted"),
    [
        (Load(0, 0), 0),
        (Load(400, 0), 0.5),  # four fifths of an instance are used
        (Load(800, 0), 1),
        (Load(5000, 0), 1),  # one partition is read by one instance
        (Load(9000, 10**9), 1),
        (Load(0, 24_000), 0.5),  # 400 records per second for a minute
        (Load(200, 18_000), 0.5),  # 12,000 more than the usual 6,000
        (Load(200, 6000), 0.25),
    ],
)
def test_a_partition_needs_what_arrives_and_its_backlog_within_the_time_to_catch_up(load: Load, wanted: float) -> None:
    assert wanted_instances(load, TARGET) == pytest.approx(wanted)


@given(loads, st.floats(1, 1e6), st.integers(1, 10**6), st.floats(2, 1e6))
def test_more_load_or_less_capacity_never_wants_less(load: Load, rate: float, lag: int, capacity: float) -> None:
    wanted = wanted_instances(load, Target(capacity, 60))

    assert 0 <= wanted <= 1
    for grown in (load._replace(arrivals_per_sec=load.arrivals_per_sec + rate), load._replace(lag=load.lag + lag)):
        assert wanted_instances(grown, Target(capacity, 60)) >= wanted - 1e-9
    assert wanted_instances(load, Target(capacity / 2, 60)) >= wanted


# Of a group


@pytest.mark.parametrize(
    ("wanted", "partitions", "instances"),
    [
        (0, 8, 0),
        (0.01, 8, 1),
        (1, 8, 1),
        (1.1, 8, 2),
        (2.1, 8, 3),
        (2.7, 8, 4),
        (4, 8, 4),
        (4.1, 8, 8),  # with 5, 6 or 7 instances one has two partitions too
        (8, 8, 8),
        (4.1, 24, 5),
    ],
)
def test_whole_partitions_are_shared(wanted: float, partitions: int, instances: int) -> None:
    assert instances_of_group([wanted / partitions] * partitions) == instances


def test_a_group_without_partitions_needs_none() -> None:
    assert instances_of_group([]) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_a_group_needs_no_more_instances_than_it_has_partitions(wanted: list[float]) -> None:
    assert instances_of_group(wanted) <= len(wanted)
    assert instances_of_group(wanted) >= sum(wanted) - 1e-9


@given(st.floats(0.01, 1), st.integers(1, 100))
def test_the_fullest_instance_can_store_what_it_has_and_one_less_would_be_too_few(
    share: float, partitions: int
) -> None:
    """All partitions are alike, and each needs this share of what an instance may do."""
    instances = instances_of_group([share] * partitions)

    assert 1 <= instances <= partitions
    assert fullest(share, partitions, instances) <= 1 + 1e-9 or instances == partitions
    assert instances == 1 or fullest(share, partitions, instances - 1) > 1 - 1e-9


def fullest(share: float, partitions: int, instances: int) -> float:
    return share * -(-partitions // instances)


@given(st.floats(1, 1e5), st.integers(1, 64))
def test_what_arrives_is_stored_with_a_reserve_unless_there_are_too_few_partitions(
    rate: float, partitions: int
) -> None:
    each = Load(rate / partitions, 0)
    instances = instances_of_group([wanted_instances(each, TARGET)] * partitions)

    can_store = TARGET.capacity_per_sec * UTILISATION * (1 + 1e-9)
    assert -(-partitions // instances) * each.arrivals_per_sec <= can_store or instances == partitions

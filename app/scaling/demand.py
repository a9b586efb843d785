"""How many instances the load of partitions needs. docs/scaling.md explains the formula."""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

UTILISATION: Final = 0.8  # the rest is for bursts, rebalances, and controllers that ignore differences of a tenth

# Of what waits, as much as arrives in this time is no backlog: the reserve takes care of it. A rebalance leaves that
# much, and if it wanted an instance, that instance would make the next rebalance.
USUAL_SECS: Final = 15.0


class Load(NamedTuple):
    """The load of one partition: records that arrive per second, and those that wait."""

    arrivals_per_sec: float
    lag: int


class Target(NamedTuple):
    """What an instance can store, records per second, and the time in which a backlog is to be stored."""

    capacity_per_sec: float = 20_000.0
    catch_up_secs: float = 60.0


def wanted_instances(loads: Iterable[Load], target: Target) -> float:
    """The instances that these partitions need, as a fraction; those of all members of a group add up.

    One instance at most reads a partition, so a partition counts as one at most, and a sum is never more than the
    number of partitions.
    """
    return sum(_share(load, target) for load in loads)


def whole_instances(wanted: float, partitions: int) -> int:
    """The fewest instances that share a group's partitions so that the fullest one has no more than it can store.

    `wanted` is the sum over the group. The query of deploy/scaling/keda.yaml computes the same; a test compares them.
    """
    if not partitions or not wanted:
        return 0
    most_for_one = max(1, math.floor(partitions / wanted))
    return math.ceil(partitions / most_for_one)


def _share(load: Load, target: Target) -> float:
    backlog = max(0.0, load.lag - load.arrivals_per_sec * USUAL_SECS)
    to_store_per_sec = load.arrivals_per_sec + backlog / target.catch_up_secs
    return min(1.0, to_store_per_sec / (target.capacity_per_sec * UTILISATION))

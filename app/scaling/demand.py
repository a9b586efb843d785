"""How many instances the load of partitions needs. docs/scaling.md explains the formula."""

import math
from collections.abc import Collection
from typing import Final, NamedTuple

UTILISATION: Final = 0.8  # the rest is for bursts, rebalances, and controllers that ignore differences of a tenth

# Of what waits, as much as arrives in this time is no backlog: the reserve takes care of it. A rebalance leaves that
# much, and if it wanted an instance, that instance would make the next rebalance.
USUAL_SECS: Final = 30.0


class Load(NamedTuple):
    """The load of one partition: records that arrive per second, and those that wait."""

    arrivals_per_sec: float
    lag: int


class Target(NamedTuple):
    """What an instance can store, records per second, and the time in which a backlog is to be stored."""

    capacity_per_sec: float = 20_000.0
    catch_up_secs: float = 60.0


def wanted_instances(load: Load, target: Target) -> float:
    """The instances that a partition needs, as a fraction.

    It is at most 1, because no more than one instance reads a partition.
    """
    backlog = max(0.0, load.lag - load.arrivals_per_sec * USUAL_SECS)
    to_store_per_sec = load.arrivals_per_sec + backlog / target.catch_up_secs
    return min(1.0, to_store_per_sec / (target.capacity_per_sec * UTILISATION))


def instances_of_group(wanted: Collection[float]) -> int:
    """The fewest instances that share partitions so that the fullest has no more than one can store; 0 without load.

    `wanted` is what each partition needs; partitions are taken for alike. The query of deploy/scaling/keda.yaml
    computes the same; a test compares them.
    """
    if not sum(wanted):
        return 0
    most_for_one = max(1, math.floor(min(len(wanted), len(wanted) / sum(wanted))))
    return math.ceil(len(wanted) / most_for_one)

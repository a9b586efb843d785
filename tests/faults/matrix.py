"""All faults, in the order of their numbers."""

from __future__ import annotations

from tests.faults.engine_faults import engine_faults
from tests.faults.fault import Fault, Impossible
from tests.faults.kafka_faults import kafka_faults
from tests.faults.network_faults import network_faults
from tests.faults.service_faults import service_faults


def all_faults() -> list[Fault]:
    """Those that can be played."""
    faults = [*service_faults(), *kafka_faults(), *network_faults(), *engine_faults()]
    return sorted(faults, key=lambda fault: int(fault.number.removeprefix("F")))


def impossible_faults() -> list[Impossible]:
    """Those that cannot, and why."""
    return []

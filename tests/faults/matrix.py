"""All faults, in the order of their numbers."""

from __future__ import annotations

from tests.faults.engine_faults import engine_faults, impossible_engine_faults
from tests.faults.fault import Fault, Impossible
from tests.faults.kafka_faults import kafka_faults
from tests.faults.network_faults import network_faults
from tests.faults.receive_faults import receive_faults
from tests.faults.record_faults import record_faults
from tests.faults.service_faults import service_faults


def all_faults() -> list[Fault]:
    """Those that can be played."""
    faults = [
        *service_faults(),
        *kafka_faults(),
        *network_faults(),
        *engine_faults(),
        *record_faults(),
        *receive_faults(),
    ]
    return sorted(faults, key=lambda fault: int(fault.number.removeprefix("F")))


def impossible_faults() -> list[Impossible]:
    """Faults that cannot run here, and why."""
    return [*impossible_engine_faults()]

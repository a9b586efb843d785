"""A short run of the most significant faults; `make faults` runs the whole matrix, many times.

Selected are faults with which an earlier or a plausible version of this service stored rows twice or lost them. Each
tests a step of the protocol that no other step replaces: lease and deadline (F3, F15), the check of the table (F1,
F13), not relying on ClickHouse's token (F18), and not relying on committed offsets alone (F8). F6 is included because
a broker restart is the most frequent fault.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.matrix import all_faults
from tests.faults.run import play

pytestmark = [
    pytest.mark.stack,
    # Kafka's clients leave sockets to the garbage collector when a broker goes away.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

CHOSEN = (
    "F1 kill -9 of the service after the insert, before the reply",
    "F3 service stopped, its insert lands when another has taken over, it wakes up",
    "F6 kill -9 of the broker",
    "F8 group rolled back by 2000 records",
    "F13 reply lost after ClickHouse has stored the rows",
    "F15 insert held for twice its deadline, then delivered",
    "F18 kill -9 of ClickHouse before it renames a part",
)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_acknowledged_event_is_stored_exactly_once(name: str, tmp_path: Path) -> None:
    fault = next((fault for fault in all_faults() if fault.name == name), None)
    if fault is None:
        pytest.skip("cannot run here; `python -m tests.faults --list` says which can")

    outcome = play(fault, range(1), tmp_path / "fault", seed=1)

    assert outcome.notes == []
    assert outcome.runs == 1
    assert outcome.events > 0


def test_events_of_a_2xx_are_stored_exactly_once_and_all_others_at_most_once(tmp_path: Path) -> None:
    """Broker and service are killed in turn, while clients of four protocols post logs."""
    [fault] = [
        fault for fault in all_faults() if fault.name == "F28 kill -9 of broker and service in turn, logs are posted"
    ]

    outcome = play(fault, range(2), tmp_path / "fault", seed=1)

    assert outcome.notes == []
    assert outcome.runs == 2

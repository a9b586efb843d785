"""The order of the test modules when they run side by side."""

from __future__ import annotations

from typing import Final

# Each takes half a minute or more of one worker: they begin first, longest first, or one of them would begin last and
# everybody would wait for it. `make test` prints what takes longest.
LONGEST: Final = (
    "tests/image/test_image.py",
    "tests/e2e/test_restarts.py",
    "tests/faults/test_faults.py",
    "tests/local/test_kafka.py",
    "tests/e2e/test_check_command.py",
    "tests/e2e/test_audit_command.py",
    "tests/simulation/test_simulation.py",
    "tests/e2e/test_alerts.py",
    "tests/local/test_stack.py",
    "tests/explorer/test_access.py",
    "tests/e2e/test_producer.py",
    "tests/e2e/test_migrate_command.py",
    "tests/contract/record_source/test_lost_records.py",
    "tests/contract/test_query_condition.py",
    "tests/e2e/test_compose_kafka.py",
    "tests/explorer/test_filters.py",
    "tests/explorer/test_follow.py",
    "tests/explorer/test_safety.py",
    "tests/explorer/test_search.py",
)
# Then what waits for a stack, which leaves processors to others; what only computes fills the gaps.
_THEN: Final = ("tests/e2e/", "tests/contract/", "tests/explorer/", "tests/local/", "tests/golden/")


def place_of(test: str) -> int:
    """Where a test, named by its file, stands in the order."""
    order = (*LONGEST, *_THEN)
    return next((place for place, begin in enumerate(order) if test.startswith(begin)), len(order))

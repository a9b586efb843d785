"""The order of the test modules in parallel runs."""

from __future__ import annotations

from typing import Final

# Each takes at least half a minute of one worker. They start first, longest first; otherwise one could start last and
# the whole run would wait for it. `make test` prints the slowest.
LONGEST: Final = (
    "tests/image/test_image.py",
    "tests/e2e/test_restarts.py",
    "tests/faults/test_faults.py",
    "tests/e2e/test_roles.py",
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
    "tests/contract/test_query_texts.py",
    "tests/e2e/test_compose_kafka.py",
    "tests/explorer/test_filters.py",
    "tests/explorer/test_follow.py",
    "tests/explorer/test_safety.py",
    "tests/explorer/test_search.py",
)
# Then tests that wait for a stack and leave CPU to others; tests that only compute fill the gaps.
_THEN: Final = ("tests/e2e/", "tests/clients/", "tests/contract/", "tests/explorer/", "tests/local/", "tests/golden/")


def position_of(test: str) -> int:
    """The position of a test in the order, by its file."""
    order = (*LONGEST, *_THEN)
    return next((index for index, begin in enumerate(order) if test.startswith(begin)), len(order))

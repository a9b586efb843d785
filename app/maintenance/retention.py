"""Removes what the rules of services no longer keep, a day after the other. May be killed at any moment.

As with every removal, positions are noted before rows are deleted (`removal`), so that recovery and the audit know.
A day is deleted only when the one before is, so that ClickHouse writes no more than one day anew at a time.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from app.domain.retention_rules import Expired, RetentionRules
from app.maintenance.removal import (
    OfServices,
    RemovableRows,
    Waiting,
    remove,
    settled_ms,
    wait_until_deleted,
)


def expired_now(table: RemovableRows, rules: RetentionRules) -> list[Expired]:
    """What the rules no longer keep, by ClickHouse's clock, as for the table's own retention. The oldest come first.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    today = datetime.fromtimestamp(table.now_ms() / 1000, UTC).date()
    return rules.expired(table.stored_by_day(), today)


def remove_expired(
    table: RemovableRows,
    rules: RetentionRules,
    waiting: Waiting,
    *,
    on_removed: Callable[[Sequence[Expired]], object],
    goes_on: Callable[[], bool] = lambda: True,
) -> bool:
    """Remove what the rules no longer keep; calls `on_removed` after each day. Returns whether it was all of it.

    Before each day it asks `goes_on`: another instance may make the passes by now.

    Raises:
        TryAgainLater: ClickHouse does not answer, cannot delete rows, or an insert runs for too long. What is done
            stays, and the next pass removes the rest.
    """
    wait_until_deleted(table, waiting)  # what an earlier pass has begun would be counted again
    found = expired_now(table, rules)
    if not found:
        return True
    table.prepare()
    before_ms = settled_ms(table, waiting)
    for day, of_day in groupby(found, lambda expired: expired.day):
        if not goes_on():
            return False
        removed = list(of_day)
        remove(table, OfServices(day, [expired.service for expired in removed]), before_ms, waiting)
        on_removed(removed)
    return True

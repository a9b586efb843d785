"""`python -m app retention`: shows the rules of services and what has expired by them; with --apply, removes that."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from app.build.maintenance import removable_rows
from app.console import run_command, say
from app.domain.retention_rules import Expired, RetentionRules
from app.errors import Refused, TryAgainLater
from app.maintenance.removal import RemovableRows, Waiting
from app.maintenance.retention import expired_now, remove_expired
from app.settings import Settings

NOT_DONE: Final = 2


def retention(settings: Settings, *, is_applied: bool) -> int:
    """Show the rules and what they would remove now, and remove it if wanted. Returns the exit code."""

    def job() -> int:
        clickhouse = settings.clickhouse
        say(f"ClickHouse at {clickhouse.url}, table {clickhouse.database}.{clickhouse.table}")
        say_rules(settings.retention.rules, clickhouse.retention_days, say)
        if not settings.retention.rules.rules:
            return 0
        try:
            with removable_rows(settings) as table:
                return retention_in_words(table, settings.retention.rules, is_applied=is_applied, say=say)
        except (TryAgainLater, Refused) as error:
            say(f"Failed: {' '.join(str(error).split()).rstrip('.')}. Run the command again.")
            return NOT_DONE

    return run_command(job, cut_off=NOT_DONE)


def say_rules(rules: RetentionRules, table_days: int, say: Callable[[str], Any]) -> None:
    """Print what is kept for how long."""
    for rule in rules.rules:
        say(f"  {rule.pattern}: {rule.days} days")
    others = "all other services" if rules.rules else "all services, since RETENTION_DAYS_BY_SERVICE has no rule"
    say(f"  {others}: {table_days} days (CLICKHOUSE_RETENTION_DAYS)")


def retention_in_words(
    table: RemovableRows,
    rules: RetentionRules,
    *,
    is_applied: bool,
    say: Callable[[str], Any],
    waiting: Waiting | None = None,
) -> int:
    """Print what has expired by day and service, remove it if wanted, and print that. Returns the exit code.

    Raises:
        TryAgainLater: ClickHouse does not answer, or cannot delete rows. What is done stays.
    """
    found = expired_now(table, rules)
    if not found:
        say("Nothing has expired by these rules.")
        return 0
    for expired in found:
        say(f"  {expired.day} {expired.service or '(no service)'}: {_several(expired.rows)} (rule {expired.rule})")
    if not is_applied:
        say(f"{_several(_rows(found))} have expired. Nothing was removed. To remove them for good, add --apply.")
        return 0
    remove_expired(
        table,
        rules,
        waiting or Waiting(),
        on_removed=lambda removed: say(f"Removed: {removed[0].day}, {_several(_rows(removed))}"),
    )
    say("Done. Their positions are kept, so that they are not stored again and the audit does not miss them.")
    return 0


def _rows(found: Sequence[Expired]) -> int:
    return sum(expired.rows for expired in found)


def _several(count: int) -> str:
    return f"{count:,} log" if count == 1 else f"{count:,} logs"

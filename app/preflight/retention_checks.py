"""Checks of retention per service: its rules, and whether our user may remove rows by them."""

from collections.abc import Iterator

from app.preflight.findings import Finding, ok, warning
from app.preflight.probes import ClickHouseProbe, Unknown
from app.settings import Settings

_ABOUT = "retention rules"


def check_retention_rules(probe: ClickHouseProbe, settings: Settings) -> Iterator[Finding]:
    """What is kept for how long, and what our user lacks to remove it; nothing without rules."""
    rules, interval_secs = settings.retention.rules.rules, settings.retention.interval_secs
    if not rules:
        return
    words = ", ".join(f"{rule.pattern} {rule.days} days" for rule in rules)
    if not interval_secs:
        yield warning(
            _ABOUT,
            f"{words}; RETENTION_INTERVAL_SECS=0, so nothing is removed by itself",
            "`python -m app retention --apply` removes what has expired",
        )
    else:
        yield ok(_ABOUT, f"{words}, removed every {interval_secs:g} s by one of the instances")
    yield from _check_privileges(probe, settings.clickhouse.user)


def _check_privileges(probe: ClickHouseProbe, user: str) -> Iterator[Finding]:
    privileges = probe.privileges_to_remove
    if isinstance(privileges, Unknown):
        yield warning(_ABOUT, f"privileges could not be checked: {privileges.reason}")
        return
    missing = [privilege for privilege, is_held in privileges.items() if not is_held]
    if missing:
        grants = "; ".join(f"GRANT {privilege} TO {user}" for privilege in missing)
        yield warning(_ABOUT, f"user {user} lacks {', '.join(missing)}: nothing can be removed", grants)

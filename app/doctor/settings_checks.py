"""Checks of our own settings against each other."""

from collections.abc import Iterable

from app.doctor.findings import Finding, ok, warning
from app.settings import Settings


def check_settings(settings: Settings, misspelt: Iterable[str]) -> list[Finding]:
    """Everything that can be told without asking anybody; `misspelt` are sentences on variables without effect."""
    strangers = [warning("names", sentence.rstrip(".")) for sentence in misspelt]
    return [*(strangers or [ok("names", "every variable that looks like a setting is one")]), check_time_outs(settings)]


def check_time_outs(settings: Settings) -> Finding:
    """An insert should have ended before others believe that its sender is dead.

    That the poll interval is longer than the session is a rule of the settings themselves.
    """
    insert_secs = settings.clickhouse.insert_timeout_secs
    session_secs = settings.kafka.session_timeout_secs
    poll_secs = settings.kafka.max_poll_interval_secs
    told = f"insert {insert_secs:g} s, session {session_secs:g} s, poll interval {poll_secs:g} s"
    if insert_secs >= session_secs:
        return warning(
            "time-outs",
            f"{told}: the insert of an instance that counts as dead can land after the next owner has looked for it,"
            " and its rows are stored twice",
            f"Set CLICKHOUSE_INSERT_TIMEOUT_SECS below {session_secs:g}",
        )
    return ok("time-outs", told)

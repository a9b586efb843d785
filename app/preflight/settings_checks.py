"""Checks of our own settings against each other."""

from collections.abc import Iterable

from app.preflight.access_checks import check_access
from app.preflight.certificate_checks import check_certificates
from app.preflight.findings import Finding, ok, warning
from app.preflight.receive_checks import check_receipts
from app.preflight.syslog_checks import check_syslog
from app.settings import Settings


def check_settings(settings: Settings, misspelt: Iterable[str], *, margin_secs: float) -> list[Finding]:
    """All findings that need no connection.

    `misspelt` are sentences about variables without effect; `margin_secs` is how long after its deadline an insert is
    waited for.
    """
    has_ingest = "ingest" in settings.service.roles
    warnings = [warning("names", sentence.rstrip(".")) for sentence in misspelt]
    names = warnings or [ok("names", "every variable that looks like a setting is one")]
    found = [*names, check_access(settings)]
    if settings.syslog.is_on or "receive" in settings.service.roles:
        found.append(check_syslog(settings))
    found += [*check_certificates(settings), *check_receipts(settings)]
    return [*found, check_timeouts(settings, margin_secs)] if has_ingest else found


def check_timeouts(settings: Settings, margin_secs: float) -> Finding:
    """Check that the lease of an instance that died ends before others learn that it is dead.

    The settings themselves require that the poll interval is longer than the session.
    """
    deadline_secs = settings.clickhouse.insert_deadline_secs
    session_secs = settings.kafka.session_timeout_secs
    poll_secs = settings.kafka.max_poll_interval_secs
    text = f"insert deadline {deadline_secs:g} s, session {session_secs:g} s, poll interval {poll_secs:g} s"
    if deadline_secs + margin_secs >= session_secs:
        return warning(
            "timeouts",
            f"{text}: the instance that takes over from one that died may have to wait longer than the session, until"
            " the last insert of that one can no longer be stored; slower, but nothing is lost or duplicated",
            f"Set CLICKHOUSE_INSERT_DEADLINE_SECS below {session_secs - margin_secs:g}, or KAFKA_SESSION_TIMEOUT_SECS"
            f" above {deadline_secs + margin_secs:g}",
        )
    return ok("timeouts", text)

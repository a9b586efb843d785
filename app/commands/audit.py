"""`python -m app audit`: compares what the group has consumed with what the table holds. Changes nothing."""

import json
from collections.abc import Callable
from typing import Any, Final

from app.audit.report import as_data, lines
from app.audit.verdict import Kind, Verdict, exit_code
from app.build.audit import run_audit
from app.commands.arguments import in_words
from app.console import run_command, say
from app.errors import Refused, TryAgainLater
from app.preflight.kafka_command import admin_command
from app.settings import Settings

_QUERY_SECS: Final = 120.0
_TIME_SECS: Final = 900.0  # for checks row by row; the rest is reported as unverified

NOT_CHECKED: Final = 2
SAFE_SECS: Final = 2 * 86_400  # rows expire by their event time, at the earliest this long after their record


def audit_topics(settings: Settings, *, since_secs: int, as_json: bool) -> int:
    """Audit Kafka and ClickHouse, and print the findings. Returns the exit code."""

    def run() -> Verdict:
        return run_audit(settings, since_secs=since_secs, query_secs=_QUERY_SECS, row_check_secs=_TIME_SECS)

    report = print_json if as_json else print_in_words
    return run_command(lambda: report(settings, run, since_secs=since_secs, say=say), cut_off=NOT_CHECKED)


def print_in_words(
    settings: Settings, run: Callable[[], Verdict], *, since_secs: int, say: Callable[[str], Any]
) -> int:
    """Run the audit, and print the verdict for people. Returns the exit code."""
    kafka, clickhouse = settings.kafka, settings.clickhouse
    say(f"Kafka at {kafka.bootstrap_servers}, {kafka.topics_in_words}, group {kafka.group_id}")
    say(f"ClickHouse at {clickhouse.url}, table {clickhouse.database}.{clickhouse.table}")
    say(f"Records of the last {in_words(since_secs)}, up to the committed offsets:")
    if since_secs > SAFE_SECS:
        say("Rows of records older than 2 days may have expired, so missing ones were not necessarily lost.")
    say("")
    try:
        verdict = run()
    except (TryAgainLater, Refused) as error:
        say(_unchecked(error))
        return NOT_CHECKED
    for line in lines(verdict):
        say(line)
    for line in _advice(verdict, settings):
        say(line)
    return exit_code(verdict)


def print_json(settings: Settings, run: Callable[[], Verdict], *, since_secs: int, say: Callable[[str], Any]) -> int:
    """Run the audit, and print the verdict as JSON. Returns the exit code."""
    kafka, clickhouse = settings.kafka, settings.clickhouse
    request = {
        "topic": kafka.topic,
        "topics": kafka.topics,
        "group": kafka.group_id,
        "table": f"{clickhouse.database}.{clickhouse.table}",
        "since_secs": since_secs,
    }
    try:
        verdict = run()
    except (TryAgainLater, Refused) as error:
        say(json.dumps({**request, "exit_code": NOT_CHECKED, "summary": _unchecked(error)}, indent=2))
        return NOT_CHECKED
    say(json.dumps({**request, **as_data(verdict)}, indent=2))
    return exit_code(verdict)


def _unchecked(error: Exception) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    return f"Could not be checked: {words}. `python -m app check` says what to do."


def _advice(verdict: Verdict, settings: Settings) -> list[str]:
    """Commands to recover missing rows whose records Kafka still has: reading again stores only what is missing."""
    firsts = {
        name: min(finding.span.first for kind in (Kind.MISSING, Kind.INCOMPLETE) for finding in partition.of(kind))
        for name, partition in verdict.partitions.items()
        if partition.count(Kind.MISSING, Kind.INCOMPLETE)
    }
    if not firsts:
        return []
    kafka = settings.kafka
    return [
        "Read these records again: only missing rows are stored. Stop the service, then run",
        *(
            f"  {admin_command(kafka)} groups reset-offsets -g {kafka.group_id}"
            f" -p {name.topic}:{name.number} --to-offset {first}"
            for name, first in firsts.items()
        ),
        "and start the service.",
    ]

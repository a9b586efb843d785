"""`python -m app check`: looks at Kafka, ClickHouse and the settings, and says what to do. Changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.backends.clickhouse.probe import gather_clickhouse
from app.backends.kafka.probe import gather_kafka
from app.commands.console import run_command, say
from app.errors import TryAgainLater
from app.pipeline.delivery import MARGIN_SECS
from app.preflight import clickhouse_checks, kafka_checks
from app.preflight.findings import Finding, exit_code, summary
from app.preflight.probes import ClickHouseFacts, KafkaFacts
from app.preflight.settings_checks import check_settings
from app.settings import Settings


def check(settings: Settings, misspelt: Iterable[str] = ()) -> int:
    """Look at the real Kafka and ClickHouse, and print a line for each check.

    `misspelt` are sentences on variables of the environment that have no effect. Returns the exit code.
    """
    return run_command(
        lambda: examine(
            settings,
            misspelt,
            gather_kafka=lambda: gather_kafka(settings.kafka),
            gather_clickhouse=lambda: gather_clickhouse(settings.clickhouse),
            say=say,
        ),
        cut_off=1,
    )


def examine(
    settings: Settings,
    misspelt: Iterable[str],
    *,
    gather_kafka: Callable[[], KafkaFacts],
    gather_clickhouse: Callable[[], ClickHouseFacts],
    say: Callable[[str], Any],
) -> int:
    """Ask both sides, each whatever becomes of the other, and say what was found. Returns the exit code."""
    kafka, clickhouse = settings.kafka, settings.clickhouse

    def look_at_kafka() -> Sequence[Finding]:
        try:
            return kafka_checks.check_kafka(gather_kafka(), kafka)
        except TryAgainLater as error:
            return kafka_checks.unreachable(kafka, str(error))

    def look_at_clickhouse() -> Sequence[Finding]:
        try:
            return clickhouse_checks.check_clickhouse(gather_clickhouse(), clickhouse)
        except TryAgainLater as error:
            return clickhouse_checks.unreachable(str(error), error.code)

    sections: list[tuple[str, Callable[[], Sequence[Finding]]]] = [
        ("Settings", lambda: check_settings(settings, misspelt, margin_secs=MARGIN_SECS)),
        (f"Kafka at {kafka.bootstrap_servers}", look_at_kafka),
        (f"ClickHouse at {clickhouse.url}", look_at_clickhouse),
    ]
    findings: list[Finding] = []
    for title, look in sections:
        say(title)
        for finding in look():
            findings.append(finding)
            say(str(finding))
    say("")
    say(summary(findings))
    return exit_code(findings)

"""`python -m app check`: a preflight check of Kafka, ClickHouse and the settings, with advice. Changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.build.native import installed
from app.build.preflight import clickhouse_probe, issuer_probe, kafka_probe, time_samples
from app.console import run_command, say
from app.errors import Refused, TryAgainLater
from app.pipeline.delivery import MARGIN_SECS
from app.preflight import clickhouse_checks, issuer_checks, kafka_checks, receive_checks, zone_checks
from app.preflight.backup_checks import check_backups
from app.preflight.decoder_checks import check_decoder
from app.preflight.findings import Finding, exit_code, summary
from app.preflight.issuer_checks import IssuerProbe
from app.preflight.probes import ClickHouseProbe, KafkaProbe
from app.preflight.retention_checks import check_retention_rules
from app.preflight.settings_checks import check_settings
from app.preflight.zone_checks import TimeSample
from app.settings import Settings


def check(settings: Settings, misspelt: Iterable[str] = ()) -> int:
    """Check Kafka, ClickHouse and the settings, and print a line for each check.

    `misspelt` are sentences about environment variables that have no effect. Returns the exit code.
    """
    return run_command(
        lambda: examine(
            settings,
            misspelt,
            missing_native=installed().missing,
            probe_kafka=lambda: kafka_probe(settings),
            probe_clickhouse=lambda: clickhouse_probe(settings),
            sample_times=lambda: time_samples(settings),
            probe_issuer=issuer_probe,
            say=say,
        ),
        cut_off=1,
    )


def examine(
    settings: Settings,
    misspelt: Iterable[str],
    *,
    missing_native: str,
    probe_kafka: Callable[[], KafkaProbe],
    probe_clickhouse: Callable[[], ClickHouseProbe],
    sample_times: Callable[[], Sequence[TimeSample]],
    probe_issuer: Callable[[str], IssuerProbe],
    say: Callable[[str], Any],
) -> int:
    """Probe the systems that the roles use, each even if another fails, and print the findings.

    `missing_native` says why records are not decoded by compiled code, and is empty if they can be.
    Returns the exit code.
    """
    sections: list[tuple[str, Callable[[], Sequence[Finding]]]] = [
        ("Settings", lambda: _check_settings(settings, misspelt, missing_native)),
    ]
    roles = {*settings.service.roles}
    if roles & {"ingest", "receive"}:
        sections.append(
            (f"Kafka at {settings.kafka.bootstrap_servers}", lambda: _check_kafka(settings, probe_kafka)),
        )
    if roles & {"ingest", "query"}:
        sections.append(
            (f"ClickHouse at {settings.clickhouse.url}", lambda: _check_clickhouse(settings, probe_clickhouse))
        )
    if "ingest" in roles:
        sections.append(("Logs of the last day", lambda: _check_zones(settings, sample_times)))
    if issuer := settings.auth.oidc_issuer:
        sections.append((f"Issuer {issuer}", lambda: _check_issuer(settings, issuer, probe_issuer)))
    findings: list[Finding] = []
    for title, run in sections:
        say(title)
        for finding in run():
            findings.append(finding)
            say(str(finding))
    say("")
    say(summary(findings))
    return exit_code(findings)


def _check_settings(settings: Settings, misspelt: Iterable[str], missing_native: str) -> Sequence[Finding]:
    found = check_settings(settings, misspelt, margin_secs=MARGIN_SECS)
    return [*found, check_decoder(settings, missing_native)] if "ingest" in settings.service.roles else found


def _check_kafka(settings: Settings, gather: Callable[[], KafkaProbe]) -> Sequence[Finding]:
    try:
        probe = gather()
    except TryAgainLater as error:
        return kafka_checks.unreachable(settings.kafka, str(error))
    found = kafka_checks.check_kafka(probe, settings.kafka, reads="ingest" in settings.service.roles)
    found += check_backups(probe, settings)
    writes = "receive" in settings.service.roles
    return [*found, *receive_checks.check_topic(probe.topic, settings.kafka.topic)] if writes else found


def _check_issuer(settings: Settings, url: str, gather: Callable[[str], IssuerProbe]) -> Sequence[Finding]:
    try:
        return issuer_checks.check_issuer(gather(url), settings)
    except TryAgainLater as error:
        return issuer_checks.unreachable(str(error))


def _check_zones(settings: Settings, gather: Callable[[], Sequence[TimeSample]]) -> Sequence[Finding]:
    try:
        return zone_checks.check_zones(gather(), settings.service)
    except (Refused, TryAgainLater) as error:
        return zone_checks.not_checked(str(error))


def _check_clickhouse(settings: Settings, gather: Callable[[], ClickHouseProbe]) -> Sequence[Finding]:
    try:
        probe = gather()
    except TryAgainLater as error:
        return clickhouse_checks.unreachable(str(error), error.code)
    if "ingest" in settings.service.roles:
        found = clickhouse_checks.check_clickhouse(probe, settings.clickhouse)
        return [*found, *check_retention_rules(probe, settings)]
    return clickhouse_checks.check_clickhouse_for_queries(probe, settings.clickhouse.as_reader())

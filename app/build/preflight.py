"""The preflight check: its probes for the command, and the check at the start of the role `ingest`."""

import time
from collections.abc import Sequence

from msgspec import Struct

from app.access.discovery import Discovery
from app.backends.clickhouse.probe import probe_clickhouse
from app.backends.clickhouse.time_samples import read_time_samples
from app.backends.kafka.probe import probe_kafka
from app.build.reader import reader_of
from app.errors import TryAgainLater
from app.preflight.clickhouse_checks import check_clickhouse
from app.preflight.findings import problem
from app.preflight.guarantee import Guarantee, guarantee
from app.preflight.issuer_checks import IssuerProbe
from app.preflight.kafka_checks import check_kafka
from app.preflight.probes import ClickHouseProbe, KafkaProbe
from app.preflight.zone_checks import TimeSample
from app.settings import Settings


class StartupCheck(Struct, frozen=True):
    """The delivery guarantee, and whether Kafka dates the records of the topic."""

    guarantee: Guarantee
    is_dated_by_kafka: bool


def kafka_probe(settings: Settings) -> KafkaProbe:
    """Probe Kafka.

    Raises:
        TryAgainLater: Kafka does not answer.
    """
    return probe_kafka(settings.kafka)


def clickhouse_probe(settings: Settings) -> ClickHouseProbe:
    """Probe ClickHouse as the user of the role: the one that inserts, or the one that only queries.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    if "ingest" in settings.service.roles:
        return probe_clickhouse(settings.clickhouse)
    return probe_clickhouse(settings.clickhouse.as_reader(), is_only_read=True)


def time_samples(settings: Settings) -> Sequence[TimeSample]:
    """Stored rows whose times may be those of another zone.

    Raises:
        Refused, TryAgainLater: they cannot be read.
    """
    return read_time_samples(settings.clickhouse, reader_of(settings).name)


def issuer_probe(url: str) -> IssuerProbe:
    """Probe the issuer of ID tokens.

    Raises:
        TryAgainLater: it does not answer, or with what is no discovery document.
    """
    from app.backends.issuer_documents import fetch_json  # late: only few need this client

    endpoints = Discovery(url, fetch_json, time.monotonic).endpoints()
    return IssuerProbe(endpoints.authorization, endpoints.token_methods, endpoints.pkce_methods)


def check_at_startup(settings: Settings) -> StartupCheck:
    """Run the preflight check. Its result is only reported: logs are stored even if it fails."""
    try:
        kafka = kafka_probe(settings)
        clickhouse = clickhouse_probe(settings)
    except TryAgainLater as error:
        return StartupCheck(guarantee([problem("preflight check", str(error))]), is_dated_by_kafka=False)
    found = [*check_kafka(kafka, settings.kafka), *check_clickhouse(clickhouse, settings.clickhouse)]
    return StartupCheck(guarantee(found), is_dated_by_kafka=kafka.is_dated_by_broker)

"""What the preflight check looks at, for the command and for the start of the role `ingest`."""

from dataclasses import dataclass

from app.backends.clickhouse.probe import probe_clickhouse
from app.backends.kafka.probe import probe_kafka
from app.errors import TryAgainLater
from app.preflight.clickhouse_checks import check_clickhouse
from app.preflight.findings import problem
from app.preflight.guarantee import Guarantee, guarantee
from app.preflight.kafka_checks import check_kafka
from app.preflight.probes import ClickHouseProbe, KafkaProbe
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class FoundAtStart:
    """What can be promised of delivery, and whether it is Kafka that dates the records of the topic."""

    guarantee: Guarantee
    is_dated_by_kafka: bool


def kafka_facts(settings: Settings) -> KafkaProbe:
    """What Kafka tells.

    Raises:
        TryAgainLater: it does not answer.
    """
    return probe_kafka(settings.kafka)


def clickhouse_facts(settings: Settings) -> ClickHouseProbe:
    """What ClickHouse tells the user of the role: the one that inserts, or the one that only queries.

    Raises:
        TryAgainLater: it does not answer.
    """
    if "ingest" in settings.service.roles:
        return probe_clickhouse(settings.clickhouse)
    return probe_clickhouse(settings.clickhouse.as_reader(), is_only_read=True)


def find_guarantee(settings: Settings) -> FoundAtStart:
    """The result of the preflight check, as a promise. A failing check keeps no log from being stored."""
    try:
        kafka = kafka_facts(settings)
        clickhouse = clickhouse_facts(settings)
    except TryAgainLater as error:
        return FoundAtStart(guarantee([problem("doctor", str(error))]), is_dated_by_kafka=False)
    found = [*check_kafka(kafka, settings.kafka), *check_clickhouse(clickhouse, settings.clickhouse)]
    return FoundAtStart(guarantee(found), is_dated_by_kafka=kafka.is_dated_by_broker)

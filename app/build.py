"""The one place where concrete parts are chosen and joined."""

import time
from collections.abc import Callable, Set
from contextlib import closing
from dataclasses import dataclass
from functools import cache, partial

from flask import Blueprint, Flask
from prometheus_client import CollectorRegistry

from app.api.admission import Admission, StreamPlaces
from app.api.app import create_app
from app.api.explorer_routes import explorer_routes
from app.api.query_api import QueryApi
from app.api.query_routes import query_routes
from app.api.tail_routes import TailApi
from app.audit.audit import Scope, audit
from app.audit.verdict import Verdict
from app.audit.watch import Watch
from app.backends.clickhouse.disk import ClickHouseDisk
from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.clickhouse.migrations import migrate
from app.backends.clickhouse.probe import gather_clickhouse
from app.backends.clickhouse.reader import ClickHouseReader
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.backends.kafka.offsets import KafkaOffsets
from app.backends.kafka.probe import gather_kafka
from app.backends.kafka.source import KafkaSource
from app.backends.kafka.topic import TopicAdmin
from app.errors import TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.decode import EventTimeBounds, decode
from app.pipeline.delivery import Delivery, Ended
from app.pipeline.disk import DiskWatch
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.ports import LogWriter, RecordSource
from app.preflight.clickhouse_checks import check_clickhouse
from app.preflight.findings import problem
from app.preflight.guarantee import Guarantee, guarantee
from app.preflight.kafka_checks import check_kafka
from app.query.service import Questions
from app.service import Service, Side, submit_to_thread
from app.settings import ClickHouseSettings, Settings
from app.telemetry.audit import AuditTelemetry
from app.telemetry.ingest import IngestTelemetry
from app.version import VERSION

_RECENT_SECS = 600.0  # far longer than an insert can be on its way
_AUDIT_SECS = 15.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs: the pipeline's life, the HTTP side, and the audit beside them if there is to be one."""

    service: Service
    http: Flask
    watch: Watch | None


def build(
    settings: Settings,
    *,
    new_writer: Callable[[ClickHouseSettings], LogWriter] = ClickHouseWriter,
    new_delivery: type[Delivery] = Delivery,
) -> Parts:
    """Join everything for these settings. Opens no connection and starts no thread.

    Another writer and delivery can be handed in, so that bench/ can tell what the protocol of delivery costs.
    """
    health = Health()
    metrics = Metrics(CollectorRegistry(), version=VERSION)
    telemetry = IngestTelemetry(metrics, health)
    backoff = Backoff()
    topic_admin = TopicAdmin(settings.kafka)
    ended = Ended()

    @cache
    def tell_guarantee() -> None:
        """Once, at the start: a pipeline that is opened anew after trouble with Kafka should read on at once."""
        telemetry.guaranteed(_guarantee(settings))

    def open_pipeline() -> tuple[RecordSource, Ingest]:
        tell_guarantee()
        source = KafkaSource(
            settings.kafka,
            read_topic_id=topic_admin.topic_id,
            on_lost=telemetry.lost_to_retention,
            on_halted=telemetry.halted,
        )
        progress = Progress(source, on_committed=telemetry.committed)
        delivery = new_delivery(
            new_writer(settings.clickhouse),
            progress,
            telemetry,
            clock=time.monotonic,
            backoff=backoff,
            deadline_secs=settings.clickhouse.insert_deadline_secs,
            ended=ended,
        )
        disk = DiskWatch(
            ClickHouseDisk(settings.clickhouse),
            telemetry,
            min_free_ratio=settings.clickhouse.min_free_percent / 100,
            clock=time.monotonic,
            submit=submit_to_thread,
        )
        ingest = Ingest(
            source,
            delivery,
            progress,
            telemetry,
            decode=partial(decode, bounds=EventTimeBounds.of_retention(settings.clickhouse.retention_days)),
            limits=settings.batch,
            clock=time.monotonic,
            submit=submit_to_thread,
            has_room=disk.has_room,
        )
        return source, ingest

    kafka, clickhouse = settings.kafka, settings.clickhouse
    sides = [
        Side(
            "Kafka",
            f"topic {kafka.topic}",
            kafka.bootstrap_servers,
            kafka.connect_attempts,
            topic_admin.ensure,
        ),
        Side(
            "ClickHouse",
            f"table {clickhouse.database}.{clickhouse.table}",
            clickhouse.url,
            clickhouse.connect_attempts,
            lambda: _prepare_table(clickhouse, telemetry),
        ),
    ]
    watch = Watch(
        lambda numbers: _audit_recent(settings, numbers),
        lambda: {partition.number for partition in telemetry.partitions},
        AuditTelemetry(metrics, health, kafka.topic),
        interval_secs=settings.audit.interval_secs,
    )
    service = Service(sides, open_pipeline, health, backoff=backoff, on_not_reached=telemetry.not_reached)
    return Parts(
        service,
        create_app(health, metrics.registry, explorer_routes(), _query_routes(settings, metrics, service)),
        watch if settings.audit.interval_secs else None,
    )


def _prepare_table(settings: ClickHouseSettings, telemetry: IngestTelemetry) -> bool:
    """Make the table, or bring it to the schema of this version; returns whether it was made."""
    was_made = ensure_table(settings)
    standing = migrate(settings, on_applied=telemetry.migrated)
    if standing.is_newer:
        telemetry.table_is_newer(standing.number, standing.last)
    return was_made


def _query_routes(settings: Settings, metrics: Metrics, service: Service) -> Blueprint:
    limits = settings.query
    questions = Questions(ClickHouseReader(settings.clickhouse, limits))
    admission = Admission(limits.max_concurrent, wait_secs=limits.queue_secs)
    streams = StreamPlaces(limits.max_streams, metrics.query_streams)
    api = QueryApi(questions, limits, admission, streams, time.monotonic)
    tail = TailApi(questions, streams, is_stopping=lambda: service.is_stopping)
    return query_routes(api, tail, admission, metrics)


def _audit_recent(settings: Settings, partitions: Set[int]) -> Verdict:
    """By clients of its own, and no longer than ingestion would hardly notice."""
    recent_secs = max(_RECENT_SECS, 2 * settings.audit.interval_secs)
    scope = Scope(
        int((time.time() - recent_secs) * 1000),
        starts_late=settings.kafka.start_from == "latest",
        partitions=partitions,
    )
    deadline = time.monotonic() + _AUDIT_SECS
    with (
        closing(KafkaOffsets(settings.kafka)) as topic,
        closing(
            ClickHouseLedger(settings.clickhouse, timeout_secs=_AUDIT_SECS, query_settings={"max_threads": 1})
        ) as ledger,
    ):
        return audit(topic, ledger, scope, has_time=lambda: time.monotonic() < deadline)


def _guarantee(settings: Settings) -> Guarantee:
    """What the doctor finds, as a promise. That something cannot be asked keeps no log from being stored."""
    kafka, clickhouse = settings.kafka, settings.clickhouse
    try:
        found = [*check_kafka(gather_kafka(kafka), kafka), *check_clickhouse(gather_clickhouse(clickhouse), clickhouse)]
    except TryAgainLater as error:
        found = [problem("doctor", str(error))]
    return guarantee(found)

"""The role `ingest`: the pipeline from Kafka to ClickHouse."""

import time
from collections.abc import Callable, Set
from functools import cache

from msgspec import Struct

from app.backends.clickhouse.disk import ClickHouseDisk
from app.backends.clickhouse.text_forms import TextForms
from app.backends.kafka.factory import open_source, require_client
from app.backends.kafka.group import KafkaGroup
from app.backends.kafka.options import MAX_POLL_RECORDS
from app.backends.kafka.topic import TopicAdmin
from app.build.decoder import build_decoder
from app.build.native import chosen_fetcher, chosen_forms, decoder_name, installed
from app.build.preflight import check_at_startup
from app.build.reader import reader_of
from app.build.table import prepare_table
from app.component import Component
from app.domain.records import Partition
from app.health import Health
from app.metrics import Metrics
from app.pipeline.backoff import Backoff
from app.pipeline.delivery import CompletedTokens, Delivery
from app.pipeline.disk import DiskWatch
from app.pipeline.ingest import Ingest
from app.pipeline.progress import Progress
from app.pipeline.standby import StandbyWatch
from app.ports import LogWriter, RecordSource
from app.service import Pipeline, Service, Side, submit_to_thread
from app.settings import ClickHouseSettings, Settings
from app.telemetry.ingest import IngestTelemetry

# Of the time for which Kafka may hold records back. With all of it a batch would not await a second fetch.
_HELD_SHARE = 0.8

NOT_CONNECTED = {"kafka": "not connected yet", "clickhouse": "not connected yet"}


class IngestParts(Struct, frozen=True):
    """The component, and a function that returns the partitions that it reads."""

    component: Component
    partitions: Callable[[], Set[Partition]]


def build_ingest(
    settings: Settings,
    metrics: Metrics,
    *,
    on_dated: Callable[[int], None],
    new_writer: Callable[[ClickHouseSettings, TextForms | None], LogWriter],
    new_delivery: type[Delivery],
) -> IngestParts:
    """The component. `on_dated` is called with the times, Unix milliseconds, by which Kafka itself dated records.

    Raises:
        BadSettings: KAFKA_CLIENT names a client that is not installed, or cannot do what other settings need; or
            records are to be decoded by compiled code, and there is none.
    """
    require_client(settings.kafka)
    health = Health(problems=NOT_CONNECTED, has_loop=True)
    reader = reader_of(settings)
    decoder = decoder_name(settings, installed())
    health.note(reader={"name": reader.name, **reader.parts()})
    dates = _KafkaTimes(settings.kafka.topic, on_dated)
    telemetry = IngestTelemetry(metrics, health, on_dated=dates.take, target=settings.scaling.target)
    pipelines = _Pipelines(settings, telemetry, new_writer, new_delivery)

    @cache
    def check_once() -> None:
        """Check only at the start: a pipeline that is reopened after trouble with Kafka should read on at once."""
        telemetry.decodes_by(decoder)
        found = check_at_startup(settings)
        telemetry.guaranteed(found.guarantee)
        dates.are_kafkas = found.is_dated_by_kafka

    def open_pipeline() -> Pipeline:
        check_once()
        return pipelines.open()

    service = Service(
        [_kafka_side(settings), _clickhouse_side(settings, telemetry)],
        open_pipeline,
        health,
        telemetry,
        backoff=pipelines.backoff,
    )
    return IngestParts(service, lambda: telemetry.partitions)


class _KafkaTimes:
    """Passes on the times of the main topic's records if it is Kafka that dates them, and not their producers."""

    def __init__(self, topic: str, on_dated: Callable[[int], None]) -> None:
        self.are_kafkas = False
        self._topic = topic
        self._on_dated = on_dated

    def take(self, topic: str, record_ms: int) -> None:
        """The time of a record of a topic."""
        if self.are_kafkas and topic == self._topic:
            self._on_dated(record_ms)


class _Pipelines:
    """Opens one pipeline after the other, and holds the state that outlives them."""

    def __init__(
        self,
        settings: Settings,
        telemetry: IngestTelemetry,
        new_writer: Callable[[ClickHouseSettings, TextForms | None], LogWriter],
        new_delivery: type[Delivery],
    ) -> None:
        self.backoff = Backoff()
        self._settings = settings
        self._telemetry = telemetry
        self._new_writer = new_writer
        self._new_delivery = new_delivery
        self._completed = CompletedTokens()

    def open(self) -> Pipeline:
        """Join the group.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        telemetry = self._telemetry
        source = open_source(
            self._settings.kafka,
            on_lost=telemetry.lost_to_retention,
            on_halted=telemetry.halted,
            on_unread=telemetry.unread,
            submit=submit_to_thread,
            # More than a batch holds would have to wait in memory, beside the batch that is stored.
            max_poll_records=min(MAX_POLL_RECORDS, self._settings.batch.max_rows),
            has_keys=self._settings.service.keep_key,
            fetch_wait_secs=self._settings.batch.gather_secs,
            new_fetcher=chosen_fetcher(self._settings, installed()),
        )
        standby = StandbyWatch(
            KafkaGroup(self._settings.kafka),
            telemetry,
            has_partitions=lambda: bool(telemetry.partitions),
            clock=time.monotonic,
            submit=submit_to_thread,
        )
        return Pipeline(source, self._ingest(source), standby.turn)

    def _ingest(self, source: RecordSource) -> Ingest:
        progress = Progress(source, on_committed=self._telemetry.committed)
        return Ingest(
            source,
            self._delivery(progress),
            progress,
            self._telemetry,
            decode=build_decoder(self._settings),
            limits=self._settings.batch,
            clock=time.monotonic,
            submit=submit_to_thread,
            has_room=self._disk().has_room,
            held_secs=_HELD_SHARE * self._settings.batch.gather_secs,
        )

    def _delivery(self, progress: Progress) -> Delivery:
        clickhouse = self._settings.clickhouse
        return self._new_delivery(
            self._new_writer(clickhouse, chosen_forms(self._settings, installed())),
            progress,
            self._telemetry,
            clock=time.monotonic,
            backoff=self.backoff,
            deadline_secs=clickhouse.insert_deadline_secs,
            completed=self._completed,
        )

    def _disk(self) -> DiskWatch:
        clickhouse = self._settings.clickhouse
        return DiskWatch(
            ClickHouseDisk(clickhouse),
            self._telemetry,
            min_free_ratio=clickhouse.min_free_percent / 100,
            clock=time.monotonic,
            submit=submit_to_thread,
        )


def _kafka_side(settings: Settings) -> Side:
    kafka, topic_admin = settings.kafka, TopicAdmin(settings.kafka)
    return Side("Kafka", f"topic {kafka.topic}", kafka.bootstrap_servers, kafka.connect_attempts, topic_admin.ensure)


def _clickhouse_side(settings: Settings, telemetry: IngestTelemetry) -> Side:
    clickhouse = settings.clickhouse

    def prepare() -> bool:
        prepared = prepare_table(clickhouse, on_applied=telemetry.migrated)
        if prepared.standing.is_newer:
            telemetry.table_is_newer(prepared.standing.number, prepared.standing.last)
        return prepared.was_made

    thing = f"table {clickhouse.database}.{clickhouse.table}"
    return Side("ClickHouse", thing, clickhouse.url, clickhouse.connect_attempts, prepare)

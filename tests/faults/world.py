"""The stack of a fault: broker, engine, service, load, and proxies where a fault needs them."""

from __future__ import annotations

import os
import random
import re
import shutil
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from app.backends.clickhouse.client import connect
from app.backends.kafka.topic import TopicAdmin
from app.errors import TryAgainLater
from app.pipeline.commit_metadata import read_metadata
from app.settings import ClickHouseSettings, KafkaSettings
from local.certificates import Certificates
from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.service import clean_environment
from tests.faults.http_proxy import HttpProxy
from tests.faults.instance import Instance
from tests.faults.journal import Journal, RecordId
from tests.faults.kafka_cluster import brokers, proxied_broker, start_together
from tests.faults.kafka_proxy import KafkaProxy
from tests.faults.load import Load
from tests.faults.posted import Attempts, PostedEvent, events_in, verify_attempts
from tests.faults.posting import Posting
from tests.faults.tls_proxy import TlsProxy
from tests.faults.verdict import Deleted, StoredRow, Verdict, verify

PARTITIONS = 4
SESSION_SECS = 6.0
DEADLINE_SECS = 4.0
_CLIENTS: tuple[Mapping[str, str], ...] = (
    {"KAFKA_CLIENT": "kafka-python"},
    {"KAFKA_CLIENT": "confluent"},
    {"KAFKA_CLIENT": "confluent", "DECODER": "python"},  # without compiled code
)
BATCH_AGE_SECS = 0.25  # many inserts, so that a fault at a random moment hits one

_POLL_SECS = 0.05
_CHECK_SECS = 0.2  # between two queries of the table, which load the engine
_START_SECS = 90.0
_RECOVERY_SECS = 120.0
_DRAIN_SECS = 120.0
_FRESH_SECS = 15.0

_SHORT = {
    "KAFKA_SESSION_TIMEOUT_SECS": f"{SESSION_SECS:g}",
    "CLICKHOUSE_INSERT_DEADLINE_SECS": f"{DEADLINE_SECS:g}",
    "BATCH_MAX_AGE_SECS": f"{BATCH_AGE_SECS:g}",
}


def _plain_directory(directory: Path) -> Path:
    return directory / "clickhouse"


def _leave(_directory: Path) -> None:
    return


@dataclass(frozen=True, slots=True)
class Setup:
    """Deviations of a stack from the default."""

    is_proxied: bool = False
    """Whether the service reaches Kafka and ClickHouse through the proxies."""
    is_https: bool = False
    """Whether ClickHouse speaks HTTPS; the service then reaches it through a proxy that passes bytes."""
    brokers: int = 1
    """One broker, optionally behind the proxy, or three."""
    events_per_sec: int = 200
    settings: Mapping[str, str] = field(default_factory=dict)
    is_posted_to: bool = False
    """Whether clients post logs to the service besides; they are verified by attempt."""
    is_as_shipped: bool = False
    """Whether to keep the default timeouts and batch age, instead of short ones."""
    engine_directory: Callable[[Path], Path] = _plain_directory
    clean_up: Callable[[Path], None] = _leave
    """Undoes `engine_directory`."""


USUAL = Setup()


class World:
    """The stack of a fault. A context manager that stops everything at its end."""

    def __init__(self, directory: Path, setup: Setup, seed: int) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.setup = setup
        self.rng = random.Random(seed)
        self._first_client = seed
        self.topic = self.database = f"faults_{uuid.uuid4().hex[:12]}"
        self.topic_id = ""
        self.deleted = Deleted()
        self.instances: list[Instance] = []
        self.journal = Journal(directory / "journal.txt")
        self.first_offsets: dict[int, int] = {}
        """First offset of each partition with deleted records."""
        self.engine_directory = setup.engine_directory(directory)
        self.engine = EngineServer(
            self.engine_directory,
            free_port(),
            certificates=Certificates.create(directory / "certificates") if setup.is_https else None,
            log_file=directory / "engine.log",
        )
        self.engine_proxy = HttpProxy(self.engine.port)
        self.tls_proxy = TlsProxy(self.engine.port)
        upstream_port = free_port()
        self.kafka_proxy = KafkaProxy(upstream_port)
        if setup.brokers == 1:
            self.brokers = [proxied_broker(directory / "kafka", upstream_port, self.kafka_proxy.listener.port)]
        else:
            self.brokers = brokers(directory / "kafka", setup.brokers)
        self._load: Load | None = None
        self._posting: Posting | None = None
        self._posted_before: Counter[PostedEvent] = Counter()
        self._timers: list[threading.Timer] = []

    def __enter__(self) -> World:
        try:
            self.engine.launch()
            start_together(self.brokers)
            self.engine.wait_until_ready()
            self.service = self.new_instance()
            self.wait_until(lambda: self.log_has("Consuming"), "the service consumes", _START_SECS)
            self.topic_id = self._read_topic_id()
            per_sec = self.setup.events_per_sec
            self._load = Load(self.bootstrap_servers, self.topic, PARTITIONS, self.journal, per_sec)
            self._load.flow(self.topic_id)
            if self.setup.is_posted_to:
                self._posting = Posting(self.service.process.url, Attempts(self.directory / "attempts.txt"))
            self.recovery_secs()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._load is not None:
            self._load.abandon()
        if self._posting is not None:
            self._posting.abandon()
        for instance in self.instances:
            instance.end(gently=False)
        self.engine_proxy.listener.shut()
        self.tls_proxy.listener.shut()
        self.kafka_proxy.listener.shut()
        for broker in self.brokers:
            broker.kill()
        self.engine.kill()
        self.journal.close()
        self.setup.clean_up(self.directory)

    @property
    def kafka(self) -> KafkaServer:
        """The first broker, usually the only one."""
        return self.brokers[0]

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of all brokers, bypassing the proxy."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    @property
    def load(self) -> Load:
        """The stream of events."""
        assert self._load is not None, "it begins with the context"
        return self._load

    @property
    def posting(self) -> Posting:
        """The clients that post logs."""
        assert self._posting is not None, "this setup has none"
        return self._posting

    @property
    def events(self) -> int:
        """Events that must be stored."""
        posted = self._posting.attempts.stored_events() if self._posting is not None else 0
        return len(self.journal.acknowledged) + posted

    def renew_load(self) -> None:
        """Send to the current topic."""
        self.load.renew()
        self.load.flow(self.topic_id)

    # The service.

    def new_instance(self, code: Path = ROOT) -> Instance:
        """One more instance of the service, of the code in this directory."""
        log_file = self.directory / f"service-{len(self.instances)}.log"
        instance = Instance(self._environment(), log_file, code)
        self.instances.append(instance)
        return instance

    def replace_service(self, code: Path) -> None:
        """End the first instance for good and run this code from now on."""
        self.remove(self.service, gently=False)
        self.service = self.new_instance(code)

    def remove(self, instance: Instance, *, gently: bool = True) -> None:
        """End an instance for good."""
        instance.end(gently=gently)

    def log_has(self, words: str) -> bool:
        """Whether the log of any instance contains these words."""
        return any(words in instance.log for instance in self.instances)

    def found_stored(self) -> int:
        """Rows that instances left out because the table contained them."""
        found = [re.findall(r"Skipped (\d+) rows", instance.log) for instance in self.instances]
        return sum(int(rows) for rows_of_one in found for rows in rows_of_one)

    def _environment(self) -> dict[str, str]:
        proxied = self.setup.is_proxied
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{self.kafka_proxy.listener.port}"
            if proxied
            else self.bootstrap_servers,
            "KAFKA_TOPIC": self.topic,
            "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
            "KAFKA_TOPIC_REPLICATION_FACTOR": str(len(self.brokers)),
            "KAFKA_GROUP_ID": self.topic,
            # In turn, so that members of all kinds take over from each other.
            **_CLIENTS[(self._first_client + len(self.instances)) % len(_CLIENTS)],
            "CLICKHOUSE_URL": self._engine_address(),
            "CLICKHOUSE_CA_FILE": str(self.engine.certificates.ca_file) if self.engine.certificates else "",
            "CLICKHOUSE_DATABASE": self.database,
        }
        short = {} if self.setup.is_as_shipped else _SHORT
        return clean_environment(os.environ, {**own, **short, **self.setup.settings})

    def _engine_address(self) -> str:
        if self.setup.is_https:
            return f"https://{LOOPBACK}:{self.tls_proxy.listener.port}"
        return f"http://{LOOPBACK}:{self.engine_proxy.listener.port if self.setup.is_proxied else self.engine.port}"

    # Kafka and ClickHouse.

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """An admin client of the cluster."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        try:
            yield admin
        finally:
            admin.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query, bypassing the proxy; the table is `logs.logs` in the query.

        Raises:
            TryAgainLater, Exception: the engine does not respond.
        """
        with self._client() as client:
            return [tuple(row) for row in client.query(sql.replace("logs.logs", f"{self.database}.logs")).result_rows]

    def command(self, sql: str) -> None:
        """Run a command; the table is `logs.logs`."""
        with self._client() as client:
            client.command(sql.replace("logs.logs", f"{self.database}.logs"))

    @contextmanager
    def _client(self) -> Iterator[Client]:
        certificates = self.engine.certificates
        settings = ClickHouseSettings(
            url=self.engine.url, database=self.database, ca_file=certificates.ca_file if certificates else None
        )
        client = connect(settings, timeout_secs=60)
        try:
            yield client
        finally:
            client.close()

    # Time.

    def pause(self, secs: float) -> None:
        """Sleep for the duration of a fault."""
        time.sleep(secs)

    def random_pause(self, max_secs: float) -> None:
        """Sleep for a random time."""
        time.sleep(self.rng.uniform(0.0, max_secs))

    def is_ready(self) -> bool:
        """Whether the service is ready."""
        with suppress(OSError, ValueError):
            return self.service.process.get("/ready").status == 200
        return False

    def require_one_member(self) -> None:
        """Wait until the service has all partitions."""

        def has_all() -> bool:
            scrape = self.service.scrape()
            return scrape is not None and scrape.assigned == PARTITIONS

        self.wait_until(has_all, "the service has all partitions", _RECOVERY_SECS)

    def engine_failures(self) -> int:
        """Inserts that have failed since the service was started."""
        with suppress(OSError):
            found = re.search(r'inserts_total{result="failed"} (\S+)', self.service.process.metrics())
            return int(float(found[1])) if found else 0
        return 0

    def later(self, secs: float, act: Callable[[], object]) -> None:
        """Act after a delay; the verification waits for it."""
        timer = threading.Timer(secs, act)
        self._timers.append(timer)
        timer.start()

    # Recovery.

    def recovery_secs(self, since: float | None = None) -> float:
        """Wait until every partition of the table has a record that Kafka acknowledged from now on, and until every
        client that posts logs is told that some are stored.

        Returns the seconds since that moment, or since an earlier one.
        """
        since = time.monotonic() if since is None else since
        before = self.load.last_acknowledged()
        # Records sent before may be stored and never be acknowledged, so they do not prove a recovery.
        fresh: dict[int, int] = {}

        def is_fresh() -> bool:
            for number, offset in self.load.last_acknowledged().items():
                if offset > before.get(number, -1):
                    fresh.setdefault(number, offset)
            last = self._last_stored()
            return len(fresh) == PARTITIONS and all(last.get(number, -1) >= offset for number, offset in fresh.items())

        what = "fresh records in every partition of the table"
        posted = self._posting.stored() if self._posting is not None else {}
        self.wait_until(is_fresh, what, _RECOVERY_SECS, every_secs=_CHECK_SECS)
        self.wait_until(lambda: self._is_posted_after(posted), "every client posts logs again", _RECOVERY_SECS)
        return time.monotonic() - since

    def _is_posted_after(self, before: Mapping[str, int]) -> bool:
        now = self._posting.stored() if self._posting is not None else {}
        return all(now[client] > count for client, count in before.items())

    def _last_stored(self) -> dict[int, int]:
        sql = f"SELECT _partition, max(_offset) FROM {self.database}.logs WHERE _topic_id = '{self.topic_id}'"
        trust = self.engine.certificates.client_context() if self.engine.certificates else None
        # Without a client: a new one reads all settings first, which costs more than the query, five times a second.
        request = urllib.request.Request(self.engine.url, f"{sql} GROUP BY _partition FORMAT TabSeparated".encode())
        with suppress(Exception):  # the engine may be what the fault happens to
            with urllib.request.urlopen(request, timeout=60, context=trust) as response:
                lines = response.read().decode().splitlines()
            return {int(number): int(offset) for number, offset in (line.split("\t") for line in lines)}
        return {}

    # Verification.

    def verdict(self) -> Verdict:
        """After the faults: wait for everything that Kafka has acknowledged, and compare it with the table."""
        self.load.pause()
        if self._posting is not None:
            self._posting.finish()
        for timer in self._timers:
            timer.join()
        liveness = ""
        try:
            self.drain()
            self.load.send_one()
            self.wait_until(self._holds_all, "one fresh event in the table", _FRESH_SECS, every_secs=_CHECK_SECS)
        except AssertionError as error:
            liveness = str(error)
        self.load.finish()
        verdict = verify(self.journal, self.rows(), self.deleted, liveness)
        if self._posting is not None:
            for copies in (self._posted_rows(), self._posted_records()):
                verdict = verdict.joined(verify_attempts(self._posting.attempts.outcomes, copies))
        return verdict

    def drain(self) -> None:
        """Wait until the lag is 0 and no lease is open."""
        self.wait_until(self._is_drained, "everything is stored and committed", _DRAIN_SECS, every_secs=0.5)

    def rows(self) -> Iterator[StoredRow]:
        """All rows of the topic, except those of events that were posted."""
        sql = "SELECT _topic_id, _partition, _offset, _item, UserId, CRC32(Body) FROM logs.logs WHERE _topic = "
        # Few rows at a time: some have 50 MB.
        for topic_id, partition, offset, item, event_id, crc in self.query(
            f"{sql}'{self.topic}' AND NOT startsWith(Body, 'posted ') SETTINGS max_block_size = 64"
        ):
            yield StoredRow(RecordId(topic_id, partition, offset), item, event_id, crc)

    def _posted_rows(self) -> Counter[PostedEvent]:
        """How many rows each posted event has."""
        sql = "SELECT substringIndex(Body, ' ', 2) FROM logs.logs WHERE startsWith(Body, 'posted ')"
        return Counter(event for [text] in self.query(sql) for event in events_in(text.encode()))

    def keep_posted_records(self) -> None:
        """Count what was posted to the topic, before it is deleted."""
        self._posted_before = self._posted_records()

    def _posted_records(self) -> Counter[PostedEvent]:
        """How often the topic has each posted event, with those that were deleted."""
        copies = self._posted_before.copy()
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap_servers, auto_offset_reset="earliest")
        try:
            left = {TopicPartition(self.topic, number): end for number, end in self.ends().items()}
            consumer.assign(list(left))
            while any(consumer.position(partition) < end for partition, end in left.items()):
                for records in consumer.poll(timeout_ms=1000).values():
                    copies.update(event for record in records for event in events_in(record.value or b""))
        finally:
            consumer.close()
        return copies

    def committed(self) -> dict[int, tuple[int, str]]:
        """Offset and metadata that the group has committed, by partition."""
        with self.admin() as admin:
            [offsets] = admin.list_group_offsets({self.topic: None}).values()
        return {partition.partition: (mark.offset, mark.metadata) for partition, mark in offsets.items()}

    def ends(self) -> dict[int, int]:
        """End offset of each partition."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap_servers)
        try:
            ends = consumer.end_offsets([TopicPartition(self.topic, number) for number in range(PARTITIONS)])
        finally:
            consumer.close()
        return {partition.partition: offset for partition, offset in ends.items()}

    def _is_drained(self) -> bool:
        try:
            committed, ends = self.committed(), self.ends()
        except KafkaError:  # the coordinator is still being elected
            return False
        for number, end in ends.items():
            offset, metadata = committed.get(number, (0, ""))
            remembered = read_metadata(metadata)
            if end and (offset != end or remembered is None or remembered.lease is not None):
                return False
        return True

    def _holds_all(self) -> bool:
        last = self._last_stored()
        return all(last.get(number, -1) >= offset for number, offset in self.load.last_acknowledged().items())

    def _read_topic_id(self) -> str:
        admin = TopicAdmin(KafkaSettings(bootstrap_servers=self.bootstrap_servers, topic=self.topic))
        try:
            return admin.topic_id()
        finally:
            admin.close()

    def take_new_topic_id(self) -> None:
        """The topic was created again: from now on events go to the new one."""
        self.wait_until(self.is_another_topic, "the topic is there again", _START_SECS)
        self.topic_id = self._read_topic_id()

    def is_another_topic(self) -> bool:
        """Whether the topic exists and is not the one that events go to."""
        try:
            return self._read_topic_id() != self.topic_id
        except TryAgainLater:
            return False

    def wait_until(
        self,
        is_so: Callable[[], bool],
        what: str,
        timeout_secs: float = _RECOVERY_SECS,
        *,
        every_secs: float = _POLL_SECS,
    ) -> None:
        """Wait until a condition holds.

        Raises:
            AssertionError: it took too long; names the condition.
        """
        deadline = time.monotonic() + timeout_secs
        while not is_so():
            assert time.monotonic() < deadline, f"not within {timeout_secs:.0f} s: {what}"
            time.sleep(every_secs)

    def forget_files(self) -> None:
        """Delete the files."""
        shutil.rmtree(self.directory, ignore_errors=True)

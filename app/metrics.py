"""Every series that the service exposes: name, unit, labels, meaning."""

import platform
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.process_collector import ProcessCollector

_SECONDS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

_QUERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 10.0, 30.0, 60.0)


class Series(NamedTuple):
    """The description of one series, for the documentation."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """All series, on a given registry. Updated once per batch or chunk, never per record."""

    def __init__(
        self, registry: CollectorRegistry, *, version: str, roles: Collection[str] = ("ingest", "query", "receive")
    ) -> None:
        """Series of roles other than `roles` exist too, but are not exposed."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry
        ProcessCollector(registry=registry)

        self.described: list[Series] = []
        exposed_of_ingest = registry if "ingest" in roles else None
        ingest = _Maker("log_ingest", exposed_of_ingest, self.described)
        counter, gauge, histogram = ingest.counter, ingest.gauge, ingest.histogram

        # Consumed.
        self.messages_consumed = counter("messages_consumed_total", "Records read from Kafka.", "topic", "partition")
        self.bytes_consumed = counter("bytes_consumed_total", "Bytes of the values of records read from Kafka.")
        self.parse_errors = counter(
            "parse_errors_total",
            "Rows that were not understood completely; they are stored anyway.",
            "reason",
        )
        self.masked = counter("masked_total", "Secrets that were masked, by the rule that found them.", "rule")
        self.rebalances = counter("rebalances_total", "Times that the partitions of this instance changed.")
        self.assigned_partitions = gauge("assigned_partitions", "Partitions that this instance reads.")
        self.consumer_lag = gauge(
            "consumer_lag", "Records in Kafka behind the last committed offset.", "topic", "partition"
        )
        self.lag_seconds = gauge(
            "lag_seconds",
            "How long the oldest record behind the last committed offset has been in Kafka; 0 if there is none.",
            "topic",
            "partition",
        )
        self.committed_offset = gauge(
            "committed_offset", "Offset up to which everything is stored.", "topic", "partition"
        )
        self.lost_to_retention = counter(
            "lost_to_retention_total",
            "Records that Kafka deleted before they were read.",
            "topic",
            "partition",
        )

        # For a controller that adds and removes instances.
        self.wanted_instances = gauge(
            "wanted_instances",
            "Instances that a partition needs, as a fraction, at most 1; docs/scaling.md has the query for a group.",
            "topic",
            "partition",
        )
        self.arrivals = gauge(
            "arrivals_per_second", "Records that arrive in Kafka per second, in the partitions of this instance."
        )
        self.measured_capacity = gauge(
            "measured_capacity_per_second",
            "Records per second that this instance stored while more were waiting; 0 before it had a backlog.",
        )

        # Held in memory, and paused or halted.
        self.buffer_rows = gauge("buffer_rows", "Rows read and not yet stored.")
        self.buffer_bytes = gauge("buffer_bytes", "Decoded bytes of the rows read and not yet stored.")
        self.paused = gauge("paused", "1 while reading is paused because ClickHouse does not keep up (backpressure).")
        self.unread_topics = gauge(
            "unread_topics",
            "Topics of KAFKA_TOPIC and KAFKA_TOPICS that are not read: they do not exist, or may not be read.",
        )
        self.halted_partitions = gauge(
            "halted_partitions",
            "Partitions halted because going on would lose or duplicate rows; an operator has to act.",
        )

        self.exactly_once = gauge(
            "exactly_once", "1 if the preflight check at the start found no problem for exactly-once delivery."
        )
        self.disk_free = gauge(
            "clickhouse_disk_free_ratio", "Free fraction of the disk that holds the table, from 0 to 1."
        )
        self.disk_full = gauge(
            "clickhouse_disk_full", "1 while nothing is stored because less than CLICKHOUSE_MIN_FREE_PERCENT is free."
        )

        # Stored.
        self.rows_inserted = counter("rows_inserted_total", "Rows stored in ClickHouse.")
        self.rows_already_stored = counter(
            "rows_already_stored_total", "Rows read again and not inserted because the table holds them."
        )
        self.unknown_outcomes = counter(
            "unknown_outcomes_total", "Inserts whose outcome was unknown; the table was checked for their rows."
        )
        self.inserts = counter("inserts_total", "Inserts by result: stored, refused, failed.", "result")
        self.retries = counter(
            "retries_total",
            "Calls retried after an error: to Kafka by our error code, to ClickHouse by its error number.",
            "side",
            "code",
        )
        self.batch_rows = histogram(
            "batch_rows", "Rows per insert.", (1, 10, 100, 1e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5)
        )
        self.batch_bytes = histogram("batch_bytes", "Decoded bytes per insert.", tuple(4.0**n * 1024 for n in range(9)))
        self.insert_duration = histogram(
            "insert_duration_seconds", "Time from sending an insert to its response.", _SECONDS
        )
        self.end_to_end_latency = BulkHistogram(
            "log_ingest_end_to_end_latency_seconds",
            "Time from a record's timestamp in Kafka to its row being stored.",
            _SECONDS,
        )
        if exposed_of_ingest is not None:
            exposed_of_ingest.register(self.end_to_end_latency)
        self.described.append(self.end_to_end_latency.series)
        self.last_insert = gauge("last_insert_timestamp_seconds", "Unix time of the last insert that was stored.")

        # Results of the audit that runs in the service, of the records consumed in the last minutes.
        self.audit_stored_records = gauge(
            "audit_stored_records", "Records that the last audit found in the table.", "topic", "partition"
        )
        self.audit_missing_records = gauge(
            "audit_missing_records",
            "Records below the committed offset that the last audit did not find, or found incomplete, in the table.",
            "topic",
            "partition",
        )
        self.audit_duplicate_rows = gauge(
            "audit_duplicate_rows",
            "Duplicate rows that the last audit found in the table.",
            "topic",
            "partition",
        )
        self.audit_unverified_offsets = gauge(
            "audit_unverified_offsets", "Offsets that the last audit had no time for.", "topic", "partition"
        )
        self.audited_offset = gauge(
            "audited_offset", "Offset up to which the last audit compared Kafka and the table.", "topic", "partition"
        )
        self.audit_last_success = gauge(
            "audit_last_success_timestamp_seconds",
            "Unix time of the last audit that compared everything, initially that of the start; 0 without audits.",
        )
        self.audit_duration = gauge("audit_duration_seconds", "Duration of the last audit.")
        self.audit_failures = counter("audit_failures_total", "Audits that failed because of Kafka or ClickHouse.")

        # Retention per service.
        self.retention_removed = counter(
            "retention_removed_rows_total",
            "Rows that were removed by a rule of RETENTION_DAYS_BY_SERVICE.",
            "rule",
        )
        self.retention_last_pass = gauge(
            "retention_last_pass_timestamp_seconds",
            "Unix time of the last pass after which nothing was left that has expired by these rules; 0 before it. One"
            " instance makes the passes: the highest of all counts.",
        )
        self.retention_failures = counter(
            "retention_failures_total", "Passes that failed because of ClickHouse; the next one tries again."
        )

        # Queries over HTTP.
        query = _Maker("log_query", registry if "query" in roles else None, self.described)
        self.query_duration = query.histogram(
            "duration_seconds", "Time from a query to its response.", _QUERY_SECONDS, "endpoint"
        )
        self.query_responses = query.counter(
            "answers_total",
            "Responses by endpoint and HTTP status; 499 if the client disconnected while its query ran.",
            "endpoint",
            "status",
        )
        self.query_running = query.gauge("running", "Queries that run now.")
        self.query_streams = query.gauge("streams", "Open streams: live tails and exports.")

        # Logs over HTTP.
        receive = _Maker("log_receive", registry if "receive" in roles else None, self.described)
        self.received_events = receive.counter(
            "events_total",
            "Events by receiver and what became of them: stored (in Kafka, on all in-sync replicas), refused (of a form"
            " or size that cannot be stored), failed (Kafka did not acknowledge them in time: their sender may retry),"
            " dropped (datagrams of syslog for which there was no room).",
            "receiver",
            "outcome",
        )
        self.received_bytes = receive.counter(
            "bytes_total", "Bytes of bodies, after decompression, and of syslog, by receiver.", "receiver"
        )
        self.receive_responses = receive.counter(
            "responses_total", "Responses by receiver and HTTP status.", "receiver", "status"
        )
        self.receive_duration = receive.histogram(
            "duration_seconds",
            "Time from a request with logs to its response, which waits for Kafka.",
            _QUERY_SECONDS,
            "receiver",
        )
        self.receive_running = receive.gauge("running", "Requests with logs that are read or wait for Kafka now.")
        self.syslog_connections = receive.gauge("syslog_connections", "Open connections with syslog.")
        self.syslog_problems = receive.counter(
            "syslog_problems_total",
            "What was wrong with syslog: split (a message longer than SYSLOG_MAX_MESSAGE_BYTES became several events),"
            " framing (a count of bytes was wrong), cut_off (a connection ended within a message), not_allowed (of"
            " another network), too_many_connections, tls (no handshake), tls_on_tcp (TLS on the port without),"
            " http (a request, as a web page can make a browser send), connection (it broke at once).",
            "problem",
        )

        # About the instance, for every role.
        instance = _Maker("log_ingest", registry, self.described)
        self.clock_skew = instance.gauge(
            "clock_skew_seconds",
            "Lower bound of how far the clock of Kafka or ClickHouse is ahead of ours; negative if it is behind. For"
            " Kafka only a clock that is ahead is detected.",
            "system",
        )
        self.token_file_broken = instance.gauge(
            "token_file_broken",
            "1 while the changed file of tokens cannot be used; the tokens from before are in force.",
        )
        build = instance.gauge("build_info", "Always 1; the version is in the labels.", "version", "python")
        build.labels(version, platform.python_version()).set(1)


class _Maker:
    """Creates series with a common prefix, and keeps a list of them. Without a registry they are not exposed."""

    def __init__(self, prefix: str, registry: CollectorRegistry | None, described: list[Series]) -> None:
        self._prefix = prefix
        self._registry = registry
        self._described = described

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """A counter, which only grows."""
        return Counter(self._describe(name, "counter", meaning, labels), meaning, labels, registry=self._registry)

    def gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """A gauge, the current value of a number."""
        return Gauge(self._describe(name, "gauge", meaning, labels), meaning, labels, registry=self._registry)

    def histogram(self, name: str, meaning: str, buckets: Sequence[float], *labels: str) -> Histogram:
        """A histogram of values with these upper bounds of its buckets."""
        full_name = self._describe(name, "histogram", meaning, labels)
        return Histogram(full_name, meaning, labels, buckets=buckets, registry=self._registry)

    def _describe(self, name: str, kind: str, meaning: str, labels: tuple[str, ...]) -> str:
        full_name = f"{self._prefix}_{name}"
        self._described.append(Series(full_name, kind, labels, meaning))
        return full_name


class BulkHistogram:
    """A histogram to which many values are added at a time; prometheus_client's takes them one by one."""

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        self.bounds = tuple(map(float, bounds))
        self.series = Series(name, "histogram", (), meaning)
        self._counts = [0] * (len(self.bounds) + 1)
        self._sum = 0.0

    def add(self, counts: Iterable[int], total: float) -> None:
        """Add values: the count of each bucket (not cumulative, one more than bounds), and the sum of all values."""
        self._counts = [old + new for old, new in zip(self._counts, counts, strict=True)]
        self._sum += total

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The histogram as prometheus_client exposes it."""
        buckets, cumulative = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self._counts, strict=True):
            cumulative += count
            buckets.append((bound, float(cumulative)))
        yield HistogramMetricFamily(self.series.name, self.series.meaning, buckets=buckets, sum_value=self._sum)

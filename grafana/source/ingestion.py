"""Ingestion from Kafka to ClickHouse, results of the audit, logs and queries over HTTP."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source.layout import Section, lay_out
from grafana.source.links import INGESTION
from grafana.source.panels import PanelBuilder, lines, log_lines, stats
from grafana.source.sql import NOW, log_rows
from grafana.source.targets import Sql, promql

_RATE: Final = "[$__rate_interval]"
_IN_RANGE: Final = "[$__range]"
_WANTED_INSTANCES: Final = (  # as in deploy/scaling/keda.yaml
    "ceil(count(max by (topic, partition) (log_ingest_wanted_instances)) / floor(clamp_min("
    " 1 / avg(max by (topic, partition) (log_ingest_wanted_instances)), 1)))"
)


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        INGESTION,
        "Ingestion",
        "Ingestion from Kafka to ClickHouse, results of the audit, and queries over HTTP.",
        variables=[],
        sections=[
            Section("Now", _now()),
            Section("Throughput and latency", _throughput()),
            Section("Problems", _problems()),
            Section("Audit: consumed records compared with stored rows", _audit()),
            Section("Logs over HTTP", _receiving()),
            Section("Queries over HTTP", _queries()),
        ],
        start="now-30m",
        refresh="10s",
    )


def _now() -> list[PanelBuilder]:
    return [
        stats(
            "Stored per second",
            "Rows that ClickHouse has confirmed.",
            promql(f"sum(rate(log_ingest_rows_inserted_total{_RATE}))"),
            unit="short",
            decimals=0,
        ),
        stats(
            "Consumer lag",
            "Records in Kafka that are not stored yet, over all partitions.",
            promql("sum(max by (topic, partition) (log_ingest_consumer_lag))"),
            unit="short",
            warn_at=100_000,
            alarm_at=1_000_000,
            decimals=0,
        ),
        stats(
            "From Kafka to stored, p99",
            "99 of 100 records are stored within this time of their timestamp in Kafka.",
            promql(_quantile(0.99, "log_ingest_end_to_end_latency_seconds")),
            unit="s",
            warn_at=5,
            alarm_at=60,
        ),
        stats(
            "Since the last insert",
            "Grows while no logs arrive, and while nothing can be stored.",
            promql("time() - max(log_ingest_last_insert_timestamp_seconds > 0)"),
            unit="s",
            warn_at=60,
            alarm_at=300,
            decimals=0,
        ),
        stats(
            "Reading",
            "Paused: ClickHouse does not keep up (backpressure). Halted: an operator has to act on a partition; the"
            " service's log gives the reason.",
            promql("clamp_max(max(log_ingest_paused) + 2 * max(log_ingest_halted_partitions), 2)"),
            unit="none",
            warn_at=1,
            alarm_at=2,
            texts={0: "yes", 1: "paused", 2: "halted"},
        ),
        stats(
            "Exactly once",
            "Whether the preflight check found no problem for exactly-once delivery when the instances started;"
            " `python -m app check` lists the problems.",
            promql("1 - min(log_ingest_exactly_once)"),
            unit="none",
            alarm_at=1,
            texts={0: "in force", 1: "not in force"},
        ),
        stats(
            "Disk used",
            "The fraction of ClickHouse's disk that is not free.",
            promql("1 - min(log_ingest_clickhouse_disk_free_ratio)"),
            unit="percentunit",
            warn_at=0.8,
            alarm_at=0.9,
        ),
        stats(
            "Storing",
            "Stops while less than CLICKHOUSE_MIN_FREE_PERCENT of the disk is free, and resumes by itself.",
            promql("max(log_ingest_clickhouse_disk_full)"),
            unit="none",
            alarm_at=1,
            texts={0: "yes", 1: "disk full"},
        ),
        stats(
            "Unknown outcomes",
            "Inserts in the time range whose outcome was unknown; the table was checked for their rows.",
            promql(f"sum(increase(log_ingest_unknown_outcomes_total{_IN_RANGE}))"),
            unit="short",
            warn_at=1,
            decimals=0,
        ),
        stats(
            "Missing or duplicate",
            "Records that the last audit of each partition did not find, and rows that it found more than once.",
            promql("sum(max by (topic, partition) (log_ingest_audit_missing_records))", "missing", "A"),
            unit="short",
            alarm_at=1,
            decimals=0,
            also=[promql("sum(max by (topic, partition) (log_ingest_audit_duplicate_rows))", "duplicate", "B")],
        ),
        stats(
            "Since the last audit",
            "Time since an audit compared everything, for the instance where that is longest ago.",
            promql("time() - min(log_ingest_audit_last_success_timestamp_seconds > 0)"),
            unit="s",
            warn_at=900,
            alarm_at=3600,
            decimals=0,
        ),
        stats(
            "Instances",
            "Instances of the service that read partitions, and those that the load needs (docs/scaling.md).",
            promql("count(log_ingest_assigned_partitions > 0)", "reading", "A"),
            unit="short",
            decimals=0,
            also=[promql(_WANTED_INSTANCES, "wanted", "B")],
        ),
    ]


def _throughput() -> list[PanelBuilder]:
    return [
        lines(
            "Read and stored",
            "Records read from Kafka, and rows stored, per second. A record may hold several rows.",
            [
                promql(f"sum(rate(log_ingest_messages_consumed_total{_RATE}))", "read", "A"),
                promql(f"sum(rate(log_ingest_rows_inserted_total{_RATE}))", "stored", "B"),
                promql(f"sum(rate(log_ingest_rows_already_stored_total{_RATE}))", "read again, not inserted", "C"),
            ],
            unit="short",
            width=12,
        ),
        lines(
            "Consumer lag by partition",
            "Records in Kafka after the last committed offset.",
            [promql("max by (topic, partition) (log_ingest_consumer_lag)", "{{topic}}/{{partition}}")],
            unit="short",
            width=12,
        ),
        lines(
            "Lag in seconds",
            "How long the oldest record that is not stored has been in Kafka, of the partition where that is longest.",
            [promql("max(log_ingest_lag_seconds)", "lag")],
            unit="s",
            width=12,
        ),
        lines(
            "Instances",
            "Instances that read partitions, and those that the load needs.",
            [
                promql("count(log_ingest_assigned_partitions > 0)", "reading", "A"),
                promql(_WANTED_INSTANCES, "wanted", "B"),
            ],
            unit="short",
            width=12,
        ),
        lines(
            "From Kafka to stored",
            "Time from a record's timestamp in Kafka to its row being stored.",
            _quantiles("log_ingest_end_to_end_latency_seconds"),
            unit="s",
        ),
        lines(
            "Insert duration",
            "Time from sending an insert to its response.",
            _quantiles("log_ingest_insert_duration_seconds"),
            unit="s",
        ),
        lines(
            "Batches",
            "Average rows and bytes of an insert.",
            [_mean("log_ingest_batch_rows", "rows", "A"), _mean("log_ingest_batch_bytes", "bytes", "B")],
            unit="short",
            right={"bytes": "bytes"},
        ),
        lines(
            "Bytes read",
            "Bytes of the values of records read from Kafka, per second.",
            [promql(f"sum(rate(log_ingest_bytes_consumed_total{_RATE}))", "bytes")],
            unit="Bps",
        ),
        lines(
            "Buffered",
            "Rows read and not yet stored.",
            [promql("sum(log_ingest_buffer_rows)", "rows", "A"), promql("sum(log_ingest_buffer_bytes)", "bytes", "B")],
            unit="short",
            right={"bytes": "bytes"},
        ),
        lines(
            "Memory",
            "Resident memory of each instance.",
            [promql('process_resident_memory_bytes{job="log-ingest"}', "{{instance}}")],
            unit="bytes",
        ),
    ]


def _problems() -> list[PanelBuilder]:
    return [
        lines(
            "Flagged rows",
            "Rows with a ParseError per second, by reason. They are stored anyway.",
            [promql(f"sum by (reason) (rate(log_ingest_parse_errors_total{_RATE}))", "{{reason}}")],
            unit="short",
        ),
        lines(
            "Failed inserts",
            "Per second. Failed: will be retried. Refused: the batch is split. Unknown: the outcome is unknown.",
            [
                promql(
                    f'sum by (result) (rate(log_ingest_inserts_total{{result!="stored"}}{_RATE}))', "{{result}}", "A"
                ),
                promql(f"sum(rate(log_ingest_unknown_outcomes_total{_RATE}))", "unknown", "B"),
            ],
            unit="short",
        ),
        lines(
            "Retried calls",
            "Per second, by system (Kafka or ClickHouse) and error code.",
            [promql(f"sum by (side, code) (rate(log_ingest_retries_total{_RATE}))", "{{side}} {{code}}")],
            unit="short",
        ),
        lines(
            "Pauses",
            "1 while reading is paused because ClickHouse does not keep up; the number of halted partitions.",
            [
                promql("max(log_ingest_paused)", "paused", "A"),
                promql("sum(log_ingest_halted_partitions)", "halted partitions", "B"),
                promql("max(log_ingest_clickhouse_disk_full)", "disk full", "C"),
            ],
            unit="short",
        ),
        lines(
            "Partitions",
            "Partitions of each instance, and rebalances.",
            [
                promql("log_ingest_assigned_partitions", "{{instance}}", "A"),
                promql(f"sum(increase(log_ingest_rebalances_total{_RATE}))", "rebalances", "B"),
            ],
            unit="short",
        ),
        lines(
            "Lost to retention",
            "Records that Kafka deleted before they were read, since the instances started.",
            [promql("sum by (topic, partition) (log_ingest_lost_to_retention_total)", "{{topic}}/{{partition}}")],
            unit="short",
        ),
        log_lines(
            "Newest flagged rows",
            "Rows that were not understood completely, with the reason in ParseError; the newest 100 of at most a day.",
            Sql("logs", log_rows(f"{NOW.newest_day.rows} AND ParseError != ''", 100)),
            height=8,
        ),
    ]


def _audit() -> list[PanelBuilder]:
    return [
        lines(
            "Results of the last audit",
            "Records below the committed offset that are stored or missing, duplicate rows, and offsets not checked for"
            " lack of time.",
            [
                promql("sum(max by (topic, partition) (log_ingest_audit_stored_records))", "stored", "A"),
                promql("sum(max by (topic, partition) (log_ingest_audit_missing_records))", "missing", "B"),
                promql("sum(max by (topic, partition) (log_ingest_audit_duplicate_rows))", "duplicate", "C"),
                promql("sum(max by (topic, partition) (log_ingest_audit_unverified_offsets))", "not checked", "D"),
            ],
            unit="short",
            right={"stored": "short"},
        ),
        lines(
            "Audit lag",
            "Offsets of each partition that are committed and that no audit has compared yet.",
            [
                promql(
                    "max by (topic, partition) (log_ingest_committed_offset)"
                    " - max by (topic, partition) (log_ingest_audited_offset)",
                    "{{topic}}/{{partition}}",
                )
            ],
            unit="short",
        ),
        lines(
            "Audit duration",
            "The last audit of each instance, and audits that failed because of Kafka or ClickHouse.",
            [
                promql("log_ingest_audit_duration_seconds", "{{instance}}", "A"),
                promql(f"sum(increase(log_ingest_audit_failures_total{_RATE}))", "failures", "B"),
            ],
            unit="s",
            right={"failures": "short"},
        ),
    ]


def _receiving() -> list[PanelBuilder]:
    return [
        lines(
            "Received logs",
            "Per second, by receiver, of those that Kafka has on all in-sync replicas.",
            [promql(f'sum by (receiver) (rate(log_receive_events_total{{outcome="stored"}}{_RATE}))', "{{receiver}}")],
            unit="cps",
            width=6,
        ),
        lines(
            "Not stored",
            "Per second. refused: of a form or size that cannot be stored. failed: Kafka did not acknowledge them in"
            " time, so their senders retry.",
            [
                promql(
                    f'sum by (outcome, receiver) (rate(log_receive_events_total{{outcome!="stored"}}{_RATE}))',
                    "{{outcome}}, {{receiver}}",
                )
            ],
            unit="cps",
            width=6,
        ),
        lines(
            "Responses to logs by status",
            "Per second. 429: too many at a time. 503: Kafka did not acknowledge in time. 4xx: mistakes of senders.",
            [promql(f"sum by (status) (rate(log_receive_responses_total{_RATE}))", "{{status}}")],
            unit="reqps",
            width=6,
        ),
        lines(
            "Time until Kafka has them",
            "Of a request with logs, over all receivers.",
            _quantiles("log_receive_duration_seconds"),
            unit="s",
            width=6,
        ),
    ]


def _queries() -> list[PanelBuilder]:
    return [
        lines(
            "Queries",
            "Per second, by endpoint.",
            [promql(f"sum by (endpoint) (rate(log_query_answers_total{_RATE}))", "{{endpoint}}")],
            unit="reqps",
            width=6,
        ),
        lines(
            "Response time",
            "Over all endpoints.",
            _quantiles("log_query_duration_seconds"),
            unit="s",
            width=6,
        ),
        lines(
            "Responses by status",
            "Per second. 429: too many concurrent queries. 503: ClickHouse does not answer. 504: timeout.",
            [promql(f"sum by (status) (rate(log_query_answers_total{_RATE}))", "{{status}}")],
            unit="reqps",
            width=6,
        ),
        lines(
            "Running",
            "Queries that run now, and open streams: live tails and exports.",
            [
                promql("sum(log_query_running)", "queries", "A"),
                promql("sum(log_query_streams)", "streams", "B"),
            ],
            unit="short",
            width=6,
        ),
    ]


def _quantile(share: float, histogram: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({histogram}_bucket{_RATE})))"


def _quantiles(histogram: str) -> list[Builder[Dataquery]]:
    return [promql(_quantile(0.5, histogram), "p50", "A"), promql(_quantile(0.99, histogram), "p99", "B")]


def _mean(histogram: str, legend: str, ref_id: str) -> Builder[Dataquery]:
    return promql(f"sum(rate({histogram}_sum{_RATE})) / sum(rate({histogram}_count{_RATE}))", legend, ref_id)

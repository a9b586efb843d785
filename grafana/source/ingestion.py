"""Logs on their way from Kafka to ClickHouse, what the audit found, and how questions are answered."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source.layout import Section, lay_out
from grafana.source.links import INGESTION
from grafana.source.panels import PanelBuilder, figures, lines, log_lines
from grafana.source.sql import NOW, log_rows
from grafana.source.targets import Sql, promql

_RATE: Final = "[$__rate_interval]"
_IN_RANGE: Final = "[$__range]"


def dashboard() -> Dashboard:
    """The dashboard."""
    return lay_out(
        INGESTION,
        "Ingestion",
        "Logs on their way from Kafka to ClickHouse, what the audit found, and how questions are answered.",
        variables=[],
        sections=[
            Section("Now", _now()),
            Section("On the way", _on_the_way()),
            Section("What went wrong", _troubles()),
            Section("Audit: what was consumed against what is stored", _audit()),
            Section("Questions over HTTP", _questions()),
        ],
        start="now-30m",
        refresh="10s",
    )


def _now() -> list[PanelBuilder]:
    return [
        figures(
            "Stored per second",
            "Rows that ClickHouse has confirmed.",
            promql(f"sum(rate(log_ingest_rows_inserted_total{_RATE}))"),
            unit="short",
            decimals=0,
        ),
        figures(
            "Behind",
            "Records in Kafka that are not stored yet, over all partitions.",
            promql("sum(max by (topic, partition) (log_ingest_consumer_lag))"),
            unit="short",
            warn_at=100_000,
            alarm_at=1_000_000,
            decimals=0,
        ),
        figures(
            "From Kafka to stored, p99",
            "99 of 100 records are stored within this time of their timestamp in Kafka.",
            promql(_quantile(0.99, "log_ingest_end_to_end_latency_seconds")),
            unit="s",
            warn_at=5,
            alarm_at=60,
        ),
        figures(
            "Since the last insert",
            "Grows when nothing comes in, and when nothing can be stored.",
            promql("time() - max(log_ingest_last_insert_timestamp_seconds > 0)"),
            unit="s",
            warn_at=60,
            alarm_at=300,
            decimals=0,
        ),
        figures(
            "Reading",
            "Paused: ClickHouse does not keep up. Stopped: a partition needs a person; the service's log says why.",
            promql("clamp_max(max(log_ingest_paused) + 2 * max(log_ingest_halted_partitions), 2)"),
            unit="none",
            warn_at=1,
            alarm_at=2,
            words={0: "yes", 1: "paused", 2: "stopped"},
        ),
        figures(
            "Exactly once",
            "Whether nothing spoke against exactly-once delivery when the instances started;"
            " `python -m app check` says what does.",
            promql("1 - min(log_ingest_exactly_once)"),
            unit="none",
            alarm_at=1,
            words={0: "in force", 1: "not in force"},
        ),
        figures(
            "Disk used",
            "The part of ClickHouse's disk that is not free.",
            promql("1 - min(log_ingest_clickhouse_disk_free_ratio)"),
            unit="percentunit",
            warn_at=0.8,
            alarm_at=0.9,
        ),
        figures(
            "Storing",
            "Stops when less than CLICKHOUSE_MIN_FREE_PERCENT of the disk is free, and goes on by itself.",
            promql("max(log_ingest_clickhouse_disk_full)"),
            unit="none",
            alarm_at=1,
            words={0: "yes", 1: "disk full"},
        ),
        figures(
            "Unknown outcomes",
            "Inserts in the time range of which nobody saw the end; the table was asked what it holds.",
            promql(f"sum(increase(log_ingest_unknown_outcomes_total{_IN_RANGE}))"),
            unit="short",
            warn_at=1,
            decimals=0,
        ),
        figures(
            "Missing or twice",
            "What the last audit of each partition did not find, and what it found more than once.",
            promql("sum(max by (topic, partition) (log_ingest_audit_missing_records))", "missing", "A"),
            unit="short",
            alarm_at=1,
            decimals=0,
            also=[promql("sum(max by (topic, partition) (log_ingest_audit_duplicate_rows))", "twice", "B")],
        ),
        figures(
            "Since the last audit",
            "Since an audit compared everything; of the instance where that is longest ago.",
            promql("time() - min(log_ingest_audit_last_success_timestamp_seconds > 0)"),
            unit="s",
            warn_at=900,
            alarm_at=3600,
            decimals=0,
        ),
        figures(
            "Instances",
            "Instances of the service that read partitions.",
            promql("count(log_ingest_assigned_partitions > 0)"),
            unit="short",
        ),
    ]


def _on_the_way() -> list[PanelBuilder]:
    return [
        lines(
            "In and stored",
            "Records read from Kafka, and rows stored, per second. A record may hold several rows.",
            [
                promql(f"sum(rate(log_ingest_messages_consumed_total{_RATE}))", "read", "A"),
                promql(f"sum(rate(log_ingest_rows_inserted_total{_RATE}))", "stored", "B"),
                promql(f"sum(rate(log_ingest_rows_already_stored_total{_RATE}))", "read again, left out", "C"),
            ],
            unit="short",
            width=12,
        ),
        lines(
            "Behind, by partition",
            "Records in Kafka after the last committed offset.",
            [promql("max by (topic, partition) (log_ingest_consumer_lag)", "{{topic}}/{{partition}}")],
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
            "Time from sending an insert to its answer.",
            _quantiles("log_ingest_insert_duration_seconds"),
            unit="s",
        ),
        lines(
            "Batches",
            "What an insert holds on average.",
            [_mean("log_ingest_batch_rows", "rows", "A"), _mean("log_ingest_batch_bytes", "bytes", "B")],
            unit="short",
            right={"bytes": "bytes"},
        ),
        lines(
            "Bytes in",
            "Bytes of the values of records read from Kafka, per second.",
            [promql(f"sum(rate(log_ingest_bytes_consumed_total{_RATE}))", "bytes")],
            unit="Bps",
        ),
        lines(
            "Held in memory",
            "Rows read and not yet stored.",
            [promql("sum(log_ingest_buffer_rows)", "rows", "A"), promql("sum(log_ingest_buffer_bytes)", "bytes", "B")],
            unit="short",
            right={"bytes": "bytes"},
        ),
        lines(
            "Memory",
            "All memory that each instance has in use.",
            [promql('process_resident_memory_bytes{job="log-ingest"}', "{{instance}}")],
            unit="bytes",
        ),
    ]


def _troubles() -> list[PanelBuilder]:
    return [
        lines(
            "Not fully understood",
            "Rows with a ParseError per second, by reason. They are stored all the same.",
            [promql(f"sum by (reason) (rate(log_ingest_parse_errors_total{_RATE}))", "{{reason}}")],
            unit="short",
        ),
        lines(
            "Inserts that failed",
            "Per second. Failed: will be tried again. Refused: the batch is split. Unknown: nobody saw the end.",
            [
                promql(
                    f'sum by (result) (rate(log_ingest_inserts_total{{result!="stored"}}{_RATE}))', "{{result}}", "A"
                ),
                promql(f"sum(rate(log_ingest_unknown_outcomes_total{_RATE}))", "unknown", "B"),
            ],
            unit="short",
        ),
        lines(
            "Calls repeated",
            "Per second, by the side and its error code.",
            [promql(f"sum by (side, code) (rate(log_ingest_retries_total{_RATE}))", "{{side}} {{code}}")],
            unit="short",
        ),
        lines(
            "Pauses",
            "1 while reading stands still because ClickHouse does not keep up; partitions that were stopped.",
            [
                promql("max(log_ingest_paused)", "paused", "A"),
                promql("sum(log_ingest_halted_partitions)", "stopped partitions", "B"),
                promql("max(log_ingest_clickhouse_disk_full)", "disk full", "C"),
            ],
            unit="short",
        ),
        lines(
            "Partitions",
            "Partitions of each instance, and how often they changed hands.",
            [
                promql("log_ingest_assigned_partitions", "{{instance}}", "A"),
                promql(f"sum(increase(log_ingest_rebalances_total{_RATE}))", "changes", "B"),
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
            "Newest rows that were not understood",
            "As they are stored, with the reason in ParseError; a hundred of the newest day at most.",
            Sql("logs", log_rows(f"{NOW.newest_day.rows} AND ParseError != ''", 100)),
            height=8,
        ),
    ]


def _audit() -> list[PanelBuilder]:
    return [
        lines(
            "Found by the last audit",
            "Records below the committed offset that are stored; missing, twice, and not looked at for want of time.",
            [
                promql("sum(max by (topic, partition) (log_ingest_audit_stored_records))", "stored", "A"),
                promql("sum(max by (topic, partition) (log_ingest_audit_missing_records))", "missing", "B"),
                promql("sum(max by (topic, partition) (log_ingest_audit_duplicate_rows))", "twice", "C"),
                promql("sum(max by (topic, partition) (log_ingest_audit_unverified_offsets))", "not looked at", "D"),
            ],
            unit="short",
            right={"stored": "short"},
        ),
        lines(
            "Behind the committed offset",
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
            "How long audits take",
            "The last audit of each instance, and audits that got no answer from Kafka or ClickHouse.",
            [
                promql("log_ingest_audit_duration_seconds", "{{instance}}", "A"),
                promql(f"sum(increase(log_ingest_audit_failures_total{_RATE}))", "failures", "B"),
            ],
            unit="s",
            right={"failures": "short"},
        ),
    ]


def _questions() -> list[PanelBuilder]:
    return [
        lines(
            "Questions",
            "Per second, by endpoint.",
            [promql(f"sum by (endpoint) (rate(log_query_answers_total{_RATE}))", "{{endpoint}}")],
            unit="reqps",
            width=6,
        ),
        lines(
            "Time to the answer",
            "Over all endpoints.",
            _quantiles("log_query_duration_seconds"),
            unit="s",
            width=6,
        ),
        lines(
            "Answers by status",
            "Per second. 429: too many questions at a time. 503: ClickHouse does not answer. 504: the time was up.",
            [promql(f"sum by (status) (rate(log_query_answers_total{_RATE}))", "{{status}}")],
            unit="reqps",
            width=6,
        ),
        lines(
            "Being answered",
            "Questions that run now, and streams that are read: live tails and exports.",
            [
                promql("sum(log_query_running)", "questions", "A"),
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

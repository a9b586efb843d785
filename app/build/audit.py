"""The audit: as a component beside the role `ingest`, and once for the command."""

import time
from collections.abc import Callable, Mapping, Set
from contextlib import closing
from typing import Final

from msgspec.structs import replace

from app.audit.audit import Scope, audit
from app.audit.verdict import Verdict
from app.audit.watch import AuditWatch
from app.backends.clickhouse.ledger import ClickHouseLedger
from app.backends.kafka.offsets import KafkaOffsets
from app.component import Component, Repeating
from app.domain.records import Partition
from app.health import Health
from app.metrics import Metrics
from app.settings import Settings
from app.telemetry.audit import AuditTelemetry

_RECENT_SECS: Final = 600.0  # far longer than an insert can be on its way
_AUDIT_SECS: Final = 15.0  # short enough to hardly slow ingestion


def build_audit(settings: Settings, metrics: Metrics, partitions: Callable[[], Set[Partition]]) -> Component:
    """The component that audits the partitions of this instance every AUDIT_INTERVAL_SECS."""
    health = Health()
    telemetry = AuditTelemetry(metrics, health)
    interval_secs = settings.audit.interval_secs
    recent_secs = max(_RECENT_SECS, 2 * interval_secs)

    def audit_recent(ours: Set[Partition]) -> Verdict:
        return run_audit(
            settings,
            since_secs=recent_secs,
            partitions=ours,
            query_secs=_AUDIT_SECS,
            row_check_secs=_AUDIT_SECS,
            query_settings={"max_threads": 1},
        )

    telemetry.started()
    watch = AuditWatch(audit_recent, partitions, telemetry, interval_secs=interval_secs)
    return Repeating("audit", watch.run, health, first_secs=interval_secs)


def run_audit(
    settings: Settings,
    *,
    since_secs: float,
    query_secs: float,
    row_check_secs: float,
    partitions: Set[Partition] | None = None,
    query_settings: Mapping[str, object] | None = None,
) -> Verdict:
    """Audit the records of the last `since_secs` of these partitions, or of all, with clients of its own.

    One query may take `query_secs`. Row-by-row checks end after `row_check_secs`; offsets left then are unverified.

    Raises:
        TryAgainLater, Refused: Kafka or ClickHouse did not answer.
    """
    since_ms = int((time.time() - since_secs) * 1000)
    scope = Scope(since_ms, starts_late=settings.kafka.start_from == "latest", partitions=partitions)
    deadline = time.monotonic() + row_check_secs
    with (
        closing(KafkaOffsets(settings.kafka)) as topics,
        closing(
            ClickHouseLedger(settings.clickhouse, timeout_secs=query_secs, query_settings=query_settings or {})
        ) as ledger,
    ):
        verdict = audit(topics, ledger, scope, has_time=lambda: time.monotonic() < deadline)
    named = settings.kafka.topic_choice.named
    return replace(verdict, unchecked=[name for name in named if name not in verdict.topic_ids])

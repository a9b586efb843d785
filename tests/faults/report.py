"""Reports outcomes: lines for the terminal and the page docs/faults.md."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Sequence

from bench.machine import machine
from local.kafka import KRAFT_VERSION
from tests.faults.fault import Impossible
from tests.faults.run import Outcome
from tests.faults.world import BATCH_AGE_SECS, DEADLINE_SECS, SESSION_SECS, USUAL

_HEADINGS = ("fault", "runs", "events", "lost", "duplicated", "other", "found stored", "recovery p50", "p95", "max")


def line(outcome: Outcome) -> str:
    """One fault for the terminal."""
    verdict = "clean" if outcome.is_clean else "NOT CLEAN: " + " | ".join(outcome.notes)
    return f"{outcome.name}: {', '.join(_cells(outcome)[1:])}: {verdict}"


def page(outcomes: Sequence[Outcome], impossible: Sequence[Impossible]) -> str:
    """The page."""
    days = sorted({day for outcome in outcomes for day in outcome.days})
    lines = ["# Faults", "", *_introduction(days), "", *_table(outcomes), ""]
    if impossible:
        lines += ["Not played:", "", *(f"- {row.number}, {row.what}: {row.reason}" for row in impossible), ""]
    failures = [f"- {outcome.name}: {note}" for outcome in outcomes for note in outcome.notes]
    if failures:
        lines += ["Not clean:", "", *failures, ""]
    return "\n".join(lines)


def _introduction(days: Sequence[str]) -> Iterator[str]:
    found = machine()
    names = ("kafka-python", "confluent-kafka", "clickhouse-connect", "chdb-core")
    versions = {name: importlib.metadata.version(name) for name in names}
    yield "Faults that were injected into the service, Kafka and ClickHouse under load, and their effect on the events."
    yield "`make faults` runs them and writes this page; [tests/faults/](../tests/faults/) has the code of each row."
    yield ""
    yield f"- Run: {' to '.join(dict.fromkeys([days[0], days[-1]]))}" if days else "- Not run yet"
    yield f"- Machine: {found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, {found['system']}"
    yield f"- Apache Kafka {KRAFT_VERSION}, {', '.join(f'{name} {version}' for name, version in versions.items())}"
    yield (
        "- Instances have `KAFKA_CLIENT=kafka-python`, `KAFKA_CLIENT=confluent`, and the latter with `DECODER=python`"
        " in turn"
    )
    yield (
        f"- Settings where the row does not say otherwise: `KAFKA_SESSION_TIMEOUT_SECS={SESSION_SECS:g}`,"
        f" `CLICKHOUSE_INSERT_DEADLINE_SECS={DEADLINE_SECS:g}`, `BATCH_MAX_AGE_SECS={BATCH_AGE_SECS:g}`;"
        f" {USUAL.events_per_sec} events a second"
    )
    yield ""
    yield "An event counts once Kafka has acknowledged it. At the end the table is compared with the list of these"
    yield "events: *lost* are events without a row, *duplicated* those with two; *other* counts rows with different"
    yield "content, rows that were never sent, and records that Kafka deleted without the service reporting it. *Found"
    yield "stored* are rows that the service had sent before, found in the table and did not send again; otherwise they"
    yield "would be duplicates. Recovery is the time in seconds from the end of the fault (of a kill: from the kill)"
    yield "until every partition has stored an event acknowledged after it. After a kill of the service most of it is"
    yield "Kafka's session timeout. Stacks that run in parallel (`JOBS=n`) slow each other down, so the longest"
    yield "recoveries are those of an overloaded machine."
    yield ""
    yield "In F28 to F30 clients of the service's own protocol, OTLP, Elasticsearch and Loki post logs too. These are"
    yield "compared by attempt, with the table and with the topic: events of a request with a 2xx must be there once,"
    yield "those of any other response or of none at most once. Requests wait for Kafka for 2 s, recovery includes that"
    yield "each client has a 2xx again."


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|---|{'--:|' * (len(_HEADINGS) - 1)}"
    for outcome in outcomes:
        yield f"| {' | '.join(_cells(outcome))} |"


def _cells(outcome: Outcome) -> list[str]:
    problems = outcome.problems
    other = sum(problems.values()) - problems["lost"] - problems["duplicated"]
    recovery = [f"{outcome.recovery(share):.1f}" for share in (0.5, 0.95, 1.0)] if outcome.recoveries else [""] * 3
    counts = [outcome.runs, outcome.events, problems["lost"], problems["duplicated"], other, outcome.found_stored]
    return [outcome.name, *(f"{count:,}" for count in counts), *recovery]

"""What was measured, for people: a table on the terminal's scale and the page docs/faults.md."""

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
    versions = {name: importlib.metadata.version(name) for name in ("kafka-python", "clickhouse-connect", "chdb-core")}
    yield "What was done to the service, to Kafka and to ClickHouse while events went through, and what became of them."
    yield "`make faults` plays them and makes this page; [tests/faults/](../tests/faults/) says what each row does."
    yield ""
    yield f"- Played: {' to '.join(dict.fromkeys([days[0], days[-1]]))}" if days else "- Not played yet"
    yield f"- Machine: {found['processor']}, {found['cores']} cores, {found['memory_gb']} GB, {found['system']}"
    yield f"- Apache Kafka {KRAFT_VERSION}, {', '.join(f'{name} {version}' for name, version in versions.items())}"
    yield (
        f"- Settings where the row does not say otherwise: `KAFKA_SESSION_TIMEOUT_SECS={SESSION_SECS:g}`,"
        f" `CLICKHOUSE_INSERT_DEADLINE_SECS={DEADLINE_SECS:g}`, `BATCH_MAX_AGE_SECS={BATCH_AGE_SECS:g}`;"
        f" {USUAL.events_per_sec} events a second"
    )
    yield ""
    yield "An event counts when Kafka has acknowledged it. At the end the table is held to the list of these events:"
    yield "*lost* are events without a row, *duplicated* those with two; *other* counts rows with another content, rows"
    yield "that nobody sent, and records deleted by Kafka that nobody announced. *Found stored* are rows that the"
    yield "service had sent before, looked for and did not send again: without that they would be duplicates. Recovery"
    yield "is the time in seconds from the end of the fault (of a kill: from the kill) until every partition has stored"
    yield "an event that was acknowledged after it. After a kill of the service most of it is Kafka's session time-out."
    yield "Stacks that are played side by side (`JOBS=n`) slow each other down, so the longest recoveries are those of"
    yield "an overloaded machine."


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

"""`python -m app audit` with sample verdicts."""

import json
from collections.abc import Callable

import pytest

from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict
from app.commands.audit import print_in_words, print_json
from app.domain.offsets import Span
from app.domain.records import Partition
from app.errors import TryAgainLater
from app.settings import Settings
from tests.unit.audit.memory import offsets

TELL = pytest.mark.parametrize("report", [print_in_words, print_json])

Tell = Callable[..., int]


def verdict(*findings: Finding) -> Verdict:
    partition = PartitionVerdict(offsets(), Span(0, 100), records=100, rows=100, findings=findings)
    others = PartitionVerdict(offsets(), Span(0, 100), 100, 100)
    return Verdict({"logs": "id"}, {Partition("logs", 0): others, Partition("logs", 1): partition})


def run(report: Tell, audit: Callable[[], Verdict], since_secs: int = 172_800) -> tuple[int, list[str]]:
    lines: list[str] = []
    return report(Settings(), audit, since_secs=since_secs, say=lines.append), lines


def away() -> Verdict:
    raise TryAgainLater("cannot reach ClickHouse at http://localhost:8123:\nConnection refused", code="unreachable")


@TELL
@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ((), 0),
        ((Finding(Kind.MISSING, Span(40, 50), 10),), 1),
        ((Finding(Kind.UNVERIFIED, Span(40, 50), 10),), 2),
    ],
)
def test_the_exit_code_is_that_of_the_verdict(report: Tell, findings: tuple[Finding, ...], code: int) -> None:
    assert run(report, lambda: verdict(*findings))[0] == code


@TELL
def test_an_unavailable_system_makes_the_exit_code_2_and_a_line_with_advice(report: Tell) -> None:
    code, lines = run(report, away)

    assert code == 2
    assert "cannot reach ClickHouse at http://localhost:8123: Connection refused. `python -m app check`" in lines[-1]


def test_the_text_report_names_both_systems_and_the_time() -> None:
    _, lines = run(print_in_words, verdict)

    assert lines[:3] == [
        "Kafka at localhost:9092, topic logs, group log-ingest",
        "ClickHouse at http://localhost:8123, table logs.logs",
        "Records of the last 2 days, up to the committed offsets:",
    ]


def test_more_than_two_days_adds_a_note_that_rows_expire() -> None:
    assert not any("expired" in line for line in run(print_in_words, verdict)[1])
    assert any(
        "Rows of records older than 2 days may have expired" in line
        for line in run(print_in_words, verdict, since_secs=172_801)[1]
    )


def test_missing_rows_come_with_the_command_to_store_them() -> None:
    found = verdict(Finding(Kind.MISSING, Span(40, 50), 10), Finding(Kind.MISSING, Span(7, 8), 1))

    _, lines = run(print_in_words, lambda: found)

    assert lines[-2].endswith(
        " -m kafka.admin -b localhost:9092 groups reset-offsets -g log-ingest -p logs:1 --to-offset 7"
    )


def test_duplicates_come_without_advice() -> None:
    _, lines = run(print_in_words, lambda: verdict(Finding(Kind.DUPLICATED, Span(40, 50), 10)))

    assert not any("reset-offsets" in line for line in lines)


def test_programs_get_one_object_and_nothing_else() -> None:
    _, lines = run(print_json, verdict)

    data = json.loads("\n".join(lines))
    assert (data["topic"], data["group"], data["table"], data["since_secs"]) == (
        "logs",
        "log-ingest",
        "logs.logs",
        172_800,
    )
    assert data["exit_code"] == 0

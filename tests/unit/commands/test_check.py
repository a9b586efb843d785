"""`python -m app check` with sample probes of Kafka and ClickHouse."""

from collections.abc import Callable, Sequence
from typing import NoReturn

import pytest

from app.commands.check import examine
from app.environment import read_settings
from app.errors import TryAgainLater
from app.preflight.findings import Finding, ok, problem, skipped, summary, warning
from app.preflight.issuer_checks import IssuerProbe
from app.preflight.probes import ClickHouseProbe, KafkaProbe
from app.preflight.zone_checks import TimeSample
from app.settings import Settings
from tests.unit.preflight.healthy import clickhouse, kafka, table, topic

SETTINGS = read_settings({"RECEIVE_KEY": "k" * 32})


def away(side: str) -> Callable[[], NoReturn]:
    def probe() -> NoReturn:
        raise TryAgainLater(f"{side} does not answer", code="unreachable")

    return probe


def run(
    probe_kafka: Callable[[], KafkaProbe] = kafka,
    probe_clickhouse: Callable[[], ClickHouseProbe] = clickhouse,
    settings: Settings = SETTINGS,
    sample_times: Callable[[], Sequence[TimeSample]] = lambda: (),
    probe_issuer: Callable[[str], IssuerProbe] = lambda url: IssuerProbe(f"{url}/authorize", (), ()),
) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = examine(
        settings,
        [],
        missing_native="the compiled decoder is not installed",
        probe_kafka=probe_kafka,
        probe_clickhouse=probe_clickhouse,
        sample_times=sample_times,
        probe_issuer=probe_issuer,
        say=lines.append,
    )
    return code, lines


def test_without_problems_every_line_is_ok_and_the_exit_code_is_0() -> None:
    code, lines = run()

    assert code == 0
    assert {line.split()[0] for line in lines if line.startswith("  ")} == {"ok"}
    assert lines[-1].endswith("0 warnings, 0 problems. The service can run.")


def test_an_instance_that_only_receives_needs_no_clickhouse_and_reads_no_topic() -> None:
    settings = read_settings({"RECEIVE_KEY": "k" * 32, "ROLES": "receive"})

    def may_write() -> KafkaProbe:
        return kafka(topic=topic(operations=frozenset({"WRITE", "DESCRIBE"})))

    code, lines = run(may_write, away("ClickHouse"), settings)

    assert code == 0
    assert not [line for line in lines if "ClickHouse at" in line or "consumer group" in line]
    assert [line for line in lines if "topic logs may be written" in line]


SIGN_IN = read_settings(
    {
        "RECEIVE_KEY": "k" * 32,
        "AUTH_MODE": "oidc",
        "AUTH_OIDC_ISSUER": "https://issuer.example",
        "AUTH_OIDC_CLIENT_ID": "logs",
        "AUTH_OIDC_RIGHTS": "@example.org read",
        "AUTH_PUBLIC_URL": "https://logs.example.org",
    }
)


def test_the_redirect_uri_that_the_issuer_must_know_is_said() -> None:
    code, lines = run(settings=SIGN_IN)

    assert code == 0
    assert any("redirect URI https://logs.example.org/login/oidc/callback" in line for line in lines)


def test_an_issuer_that_does_not_answer_is_a_problem() -> None:
    def silent(url: str) -> NoReturn:
        raise TryAgainLater(f"{url} cannot be reached", code="unreachable")

    code, lines = run(settings=SIGN_IN, probe_issuer=silent)

    assert code == 1
    assert any("https://issuer.example cannot be reached -> Check AUTH_OIDC_ISSUER" in line for line in lines)


def test_a_warning_leaves_the_exit_code_at_0() -> None:
    code, lines = run(lambda: kafka(topic=topic(under_replicated_count=1)))

    assert code == 0
    assert "1 warning, 0 problems" in lines[-1]


def test_a_problem_makes_it_1() -> None:
    code, lines = run(probe_clickhouse=lambda: clickhouse(table=table(engine="Null")))

    assert code == 1
    assert "1 problem" in lines[-1]


@pytest.mark.parametrize(
    ("probe_kafka", "probe_clickhouse", "silent", "other"),
    [
        (away("Kafka"), clickhouse, "Kafka does not answer", "  ok       columns"),
        (kafka, away("ClickHouse"), "ClickHouse does not answer", "  ok       consumer group"),
    ],
)
def test_an_unavailable_system_is_one_line_and_the_other_is_still_checked(
    probe_kafka: Callable[[], KafkaProbe],
    probe_clickhouse: Callable[[], ClickHouseProbe],
    silent: str,
    other: str,
) -> None:
    code, lines = run(probe_kafka, probe_clickhouse)

    assert code == 1
    [problem_line] = [line for line in lines if line.startswith("  problem")]
    assert silent in problem_line
    assert any(line.startswith(other) for line in lines)


def test_times_that_cannot_be_read_are_skipped() -> None:
    code, lines = run(sample_times=away("ClickHouse"))

    assert code == 0
    assert [line.split()[:2] for line in lines if "does not answer" in line] == [["skipped", "zones"]]


# By role.


def test_for_an_instance_that_only_queries_kafka_is_neither_checked_nor_mentioned() -> None:
    settings = read_settings({"ROLES": "query", "CLICKHOUSE_READER_TABLE": "logs_all"})
    probe = clickhouse(privileges={"SELECT ON logs.logs_all": True}, insert_settings={"async_insert": None})

    code, lines = run(away("Kafka"), lambda: probe, settings)

    assert code == 0
    assert "Kafka" not in "".join(lines)
    assert [line.split()[1] for line in lines if line.startswith("  ")] == [
        "names",
        "access",
        "connection",
        "clock",
        "privileges",
        "table",
    ]
    assert "logs.logs_all, MergeTree" in "".join(lines)


def test_an_instance_that_only_queries_needs_the_table_to_be_there() -> None:
    settings = read_settings({"ROLES": "query"})

    code, lines = run(probe_clickhouse=lambda: clickhouse(table=None), settings=settings)

    assert code == 1
    [problem_line] = [line for line in lines if line.startswith("  problem")]
    assert "logs.logs does not exist" in problem_line
    assert "with the role ingest" in problem_line


def test_for_an_instance_that_only_ingests_both_systems_are_checked() -> None:
    code, lines = run(settings=read_settings({"ROLES": "ingest"}))

    assert code == 0
    assert [line.split()[0] for line in lines if not line.startswith("  ") and line][:3] == [
        "Settings",
        "Kafka",
        "ClickHouse",
    ]


def test_columns_stand_under_each_other() -> None:
    _, lines = run(away("Kafka"), lambda: clickhouse(table=table(views=["v"])))

    output = [line for line in lines if line.startswith("  ")]
    assert {line[29] for line in output} == {" "}
    assert " " not in {line[30] for line in output} | {line[11] for line in output}


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ([ok("a", "b")], "1 ok, 0 warnings, 0 problems. The service can run."),
        ([ok("a", "b"), warning("a", "b")], "1 ok, 1 warning, 0 problems. The service can run; the warnings"),
        ([problem("a", "b"), warning("a", "b")], "0 ok, 1 warning, 1 problem. Fix the problems, then"),
        ([problem("a", "b"), skipped("a", "b")], "0 ok, 0 warnings, 1 problem, 1 skipped. Fix"),
    ],
)
def test_the_last_line_has_counts_and_advice(findings: list[Finding], words: str) -> None:
    assert summary(findings).startswith(words)

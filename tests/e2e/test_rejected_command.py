"""`python -m app rejected` as a user runs it, on what the service has stored."""

from __future__ import annotations

import subprocess

import pytest

from tests.e2e.app_command import run_app
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.stack


NOT_UNDERSTOOD = [
    "{not JSON",
    "{nor this",
    '{"message": "late", "timestamp": "yesterday"}',
    '{"message": "slow", "duration_ms": "very"}',
    '{"message": "nested", "user_id": {"x": 1}}',
]


def rejected(pipeline: Pipeline, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_app("rejected", *arguments, environment=pipeline.environment(**environment))


@pytest.fixture(scope="module")
def filled(shared_pipeline: Pipeline) -> Pipeline:
    """A pipeline that has stored some parsed and some unparsable lines."""
    shared_pipeline.start_service()
    shared_pipeline.send([*(f"INFO line {number}" for number in range(100)), *NOT_UNDERSTOOD])
    shared_pipeline.wait_for_rows(100 + len(NOT_UNDERSTOOD))
    return shared_pipeline


def test_rejected_rows_are_listed_and_parsed_again(filled: Pipeline) -> None:
    done = rejected(filled)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[3] == "json: 2 rows"
    assert "  timestamp: not a time" in lines
    assert any(line.endswith("{not JSON") for line in lines)
    assert lines[-1] == (
        "5 rows not understood: today's parser would understand 0, and not 4; 1 cannot be tried, since the row does not"
        " hold the record's text."
    )


def test_rows_rejected_by_an_old_parser_would_be_understood(filled: Pipeline) -> None:
    filled.query(
        f"INSERT INTO {filled.database}.logs (Timestamp, Body, _raw, ParseError, _topic, _offset)"
        " VALUES (now64(9) - 7200, 'x', '{\"message\": \"x\"}', 'json: not valid', 'old', 0),"
        " (now64(9) - 7200, 'y', unhex('FF'), 'utf-8: invalid bytes', 'old', 1)"
    )

    assert "today's parser would understand 1, and not 5;" in rejected(filled).stdout
    assert "today's parser would understand 0, and not 4;" in rejected(filled, "--since", "1h").stdout
    assert "today's parser would understand 1, and not 1;" in rejected(filled, "--from", "3h", "--to", "now-1h").stdout


def test_a_limit_is_reported(filled: Pipeline) -> None:
    done = rejected(filled, "--since", "1h", "--limit", "3")

    assert "Only 3 of 5 rows were read; raise --limit to read more." in done.stdout.splitlines()


def test_an_unavailable_clickhouse_makes_the_exit_code_2_and_is_reported(filled: Pipeline) -> None:
    done = rejected(filled, CLICKHOUSE_URL="http://127.0.0.1:1")

    assert (done.returncode, done.stderr) == (2, "")
    assert "Could not be read: cannot reach ClickHouse at http://127.0.0.1:1" in done.stdout.splitlines()[-1]

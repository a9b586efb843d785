"""What `check` and the start say of the role `receive`."""

from __future__ import annotations

import pytest

from app.environment import read_settings
from app.preflight.findings import Level
from app.preflight.receive_checks import check_receipts, check_topic, unsigned
from tests.unit.preflight.healthy import CONFIGS, about, topic

KEY = "k" * 32


@pytest.mark.parametrize(
    ("environ", "levels", "is_said_at_the_start"),
    [
        ({"RECEIVE_KEY": KEY}, [Level.OK], False),
        ({}, [Level.WARNING], False),
        ({"ROLES": "receive"}, [Level.WARNING], True),
        ({"ROLES": "receive,query"}, [Level.WARNING], True),
        ({"ROLES": "receive", "RECEIVE_KEY": KEY}, [Level.OK], False),
        ({"ROLES": "ingest"}, [], False),
    ],
)
def test_receipts_that_nobody_believes_are_said(
    environ: dict[str, str], levels: list[Level], is_said_at_the_start: bool
) -> None:
    settings = read_settings(environ)

    assert [finding.level for finding in check_receipts(settings)] == levels
    assert (unsigned(settings) is not None) == is_said_at_the_start


def test_a_topic_that_takes_logs_is_fine() -> None:
    assert {finding.level for finding in check_topic(topic(), "logs")} == {Level.OK}
    assert check_topic(None, "logs") == []


def test_a_topic_that_may_not_be_written_is_a_problem() -> None:
    found = check_topic(topic(operations=frozenset({"READ"})), "logs")

    assert about("right to write", found).level is Level.PROBLEM


def test_a_topic_that_takes_only_short_events_is_said() -> None:
    found = check_topic(topic(configs=CONFIGS | {"max.message.bytes": "10000"}), "logs")

    assert about("event size", found).level is Level.WARNING

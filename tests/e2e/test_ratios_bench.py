"""The bench of ratios measures all ratios, on a small backlog."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from bench.ratio_report import RATIOS
from bench.ratios import measure_ratios
from bench.report import Measurements
from bench.stack import BenchStack, running_stack
from bench.storing import extras_of
from bench.workload import load

pytestmark = pytest.mark.stack

TOPIC = "ratios"
EVENTS = 20_000


@pytest.fixture(scope="module")
def stack() -> Iterator[BenchStack]:
    """The bench's own broker and engine, with a small backlog."""
    with running_stack() as running:
        running.create_topic(TOPIC)
        load(running.kafka.bootstrap_servers, TOPIC, EVENTS)
        yield running


@pytest.fixture(scope="module")
def repetition(stack: BenchStack) -> Measurements:
    """The measurements of one repetition."""
    [measurements] = measure_ratios(stack, sys.executable, TOPIC, EVENTS, repetitions=1)
    return measurements


def test_every_ratio_is_measured_and_every_event_stored_once(repetition: Measurements) -> None:
    assert all(repetition[ratio.name] > 0 for ratio in RATIOS)
    assert (repetition["rows_missing"], repetition["rows_twice"]) == (0, 0)


def test_the_plain_table_differs_from_the_other_in_its_extras(stack: BenchStack, repetition: Measurements) -> None:
    assert {extra.kind for extra in extras_of(stack, "table")} == {"INDEX", "PROJECTION", "CONSTRAINT"}
    assert extras_of(stack, "plain") == []
    assert stack.query("SELECT count() FROM bench.plain") == "0"

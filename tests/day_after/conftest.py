"""A pipeline for one test of an operator's day, the code of earlier versions, and the page of outcomes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.checkout import checked_out
from bench.errors import BenchError
from tests.day_after.outcomes import Outcomes
from tests.e2e.pipeline import Pipeline
from tests.support.servers import RunningEngine, RunningKafka

Checkout = Callable[[str], Path]


@pytest.fixture
def pipeline(kafka: RunningKafka, engine: RunningEngine, tmp_path: Path) -> Iterator[Pipeline]:
    made = Pipeline(kafka, engine, tmp_path)
    yield made
    made.end_services()
    made.query(f"DROP DATABASE IF EXISTS {made.database}")


@pytest.fixture
def outcomes() -> Outcomes:
    """The page of outcomes: in DAY_AFTER_RESULTS, or nowhere."""
    folder = os.environ.get("DAY_AFTER_RESULTS")
    return Outcomes(Path(folder) if folder else None)


@pytest.fixture
def old_code(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The code of the commit that the test is run for."""
    try:
        with checked_out(request.param) as directory:
            yield directory
    except BenchError as error:
        pytest.skip(f"{error}: a clone with its history is needed")

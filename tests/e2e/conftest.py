"""A pipeline of one's own on the shared broker and engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.pipeline import Pipeline
from tests.servers import RunningEngine, RunningKafka


@pytest.fixture(scope="module")
def shared_pipeline(
    kafka: RunningKafka, engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """One pipeline for all tests of a module, on the broker and the engine of the whole run."""
    pipeline = Pipeline(kafka, engine, tmp_path_factory.mktemp("pipeline"))
    yield pipeline
    pipeline.end_services()

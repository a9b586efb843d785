"""One stack for all programs of a run (of a worker, in a parallel run), and the programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installed import Clients, NotInstalled, install
from tests.clients.stack import Stack
from tests.e2e.pipeline import Pipeline
from tests.support.servers import RunningEngine, RunningKafka


@pytest.fixture(scope="session")
def stack(kafka: RunningKafka, engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The service with all roles, on the broker and the engine of the run."""
    directory = tmp_path_factory.mktemp("clients")
    pipeline = Pipeline(kafka, engine, directory)
    try:
        yield Stack(pipeline, directory)
    finally:
        pipeline.end_services()


@pytest.fixture(scope="session")
def installed() -> None:
    """The programs are there. Without a network the tests are skipped, but not in CI, which must not pass then."""
    try:
        install()
    except NotInstalled as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def clients(installed: None, tmp_path: Path) -> Clients:
    """The programs, for one test."""
    return Clients(tmp_path)

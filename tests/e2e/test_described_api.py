"""Every operation that the API describes, with requests that its description allows and with those that it does not.

schemathesis makes the requests and compares status, type, headers and body of each response with the description.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.statement import Result, Statement
from app.query.attribute_reference import resolved
from tests.explorer.site import Site
from tests.fakes import ScriptedReader
from tests.query.results import result_of
from tests.support.query_application import query_application

pytestmark = pytest.mark.stack  # a real socket

# Random ones of each operation, beside a request for every bound of every parameter: few, or as many as one asks for.
_EXAMPLES = os.environ.get("API_EXAMPLES", "3")


def realistic(statement: Statement) -> Result:
    """A result with the columns of a statement."""
    return result_of(Statement(resolved(statement.sql, statement.parameters), statement.parameters))


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site(lambda is_stopping: query_application(ScriptedReader(realistic)))
    yield made
    made.close()


def test_every_response_is_as_described(site: Site, tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    options = ["--mode", "all", "--phases", "coverage,fuzzing", "--max-examples", _EXAMPLES]
    options += ["--generation-deterministic", "--no-color"]
    config = Path(__file__).with_name("schemathesis.toml")
    done = subprocess.run(
        [*program, "--config-file", config, "run", f"{site.url}api/v1/openapi.json", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    assert tested is not None
    assert len(set(tested.groups())) == 1  # all of them

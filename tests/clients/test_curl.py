"""curl, to the service's own protocol."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.clients.stack import Stack
from tests.support.programs import run

pytestmark = pytest.mark.stack


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl(stack: Stack) -> None:
    response = run(["sh", "-c", stack.recipe("curl", "sh")])

    assert json.loads(response) == {"stored": 1, "refused": 0, "problems": []}
    [row] = stack.rows("Body = 'stock is low'", 1)
    assert (row["ServiceName"], row["SeverityText"], row["LogAttributes"]["item"]) == ("shop", "WARN", "42")
    assert row["LogAttributes"]["log.receiver.name"] == "json"

"""Programs that send GELF."""

from __future__ import annotations

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack


def test_pygelf(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("GELF: Python's pygelf", "python"))

    [row] = stack.rows("Body = 'kiln is on fire'", 1)
    attributes = row["LogAttributes"]
    assert (row["SeverityText"], row["ServiceName"], attributes["order"]) == ("ERROR", "shop", "7")
    assert attributes["log.receiver.name"] == "gelf"
    assert row["ResourceAttributes"]["host.name"]
    assert row["ParseError"] == ""

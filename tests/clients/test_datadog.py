"""Programs that speak to Datadog's intake of logs."""

from __future__ import annotations

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack


def test_datadog_api_client(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Datadog: Python's API client", "python"))

    [row] = stack.rows("Body = 'kiln not found'", 1)
    attributes, resource = row["LogAttributes"], row["ResourceAttributes"]
    assert (row["SeverityText"], row["ServiceName"]) == ("ERROR", "shop")
    assert (resource["host.name"], resource["deployment.environment.name"]) == ("kiln", "prod")
    assert {name: attributes.get(name) for name in ("order", "team", "ddsource", "ddtags", "log.receiver.name")} == {
        "order": "7",
        "team": "shop",
        "ddsource": "python",
        "ddtags": None,
        "log.receiver.name": "datadog",
    }
    assert row["ParseError"] == ""

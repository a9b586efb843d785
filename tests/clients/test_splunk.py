"""Programs that speak Splunk's HTTP event collector."""

from __future__ import annotations

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack


def test_splunk_handler(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Splunk: Python's splunk-handler", "python"))

    [row] = stack.rows("Body LIKE '%stock of kilns is low'", 1)
    attributes = row["LogAttributes"]
    assert (row["SeverityText"], row["ResourceAttributes"]["host.name"]) == ("WARN", "kiln")
    assert {name: attributes.get(name) for name in ("index", "source", "sourcetype", "log.receiver.name")} == {
        "index": "main",
        "source": "shop",
        "sourcetype": "text",
        "log.receiver.name": "splunk",
    }
    assert row["ParseError"] == ""


def test_splunk_hec_handler(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Splunk: Python's splunk-hec-handler", "python"))

    [row] = stack.rows("Body = 'card of a kiln declined'", 1)
    assert (row["SeverityText"], row["ServiceName"], row["UserId"]) == ("ERROR", "shop", "123")
    assert (row["LogAttributes"]["source"], row["LogAttributes"]["sourcetype"]) == ("shop", "_json")
    assert row["ParseError"] == ""


def test_winston(stack: Stack, clients: Clients) -> None:
    clients.node(stack.recipe("Splunk: winston", "js"))

    [row] = stack.rows("Body = 'queue of kilns is long'", 1)
    assert (row["SeverityText"], row["ServiceName"]) == ("WARN", "shop")
    assert (row["LogAttributes"]["queue"], row["LogAttributes"]["length"]) == ("orders", "42")
    assert row["LogAttributes"]["source"] == "shop"
    assert row["ParseError"] == ""

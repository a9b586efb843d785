"""Loggers that send to Loki: two of Python, two of Node.js."""

from __future__ import annotations

import re

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack

_RECENT = "Timestamp BETWEEN now64(9) - 60 AND now64(9)"


def test_python_logging_loki(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Python: python-logging-loki", "python"))

    [row] = stack.rows(f"ServiceName = 'shop' AND Body = 'stock is low' AND {_RECENT} AND {_by('loki')}", 1)
    attributes = row["LogAttributes"]
    assert (row["SeverityText"], attributes["logger"], attributes["item"]) == ("WARN", "checkout", "42")
    assert attributes["log.receiver.name"] == "loki"


def test_loki_logger_handler(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Python: loki-logger-handler", "python"))

    [row] = stack.rows(f"ServiceName = 'billing' AND {_RECENT}", 1)
    attributes = row["LogAttributes"]
    assert (row["SeverityText"], row["Body"]) == ("ERROR", "no payment")
    assert (attributes["name"], attributes["order"], attributes["env"]) == ("checkout", "42", "prod")
    assert re.match(r'(?s)Traceback .*\n  File ".*\nValueError: card declined', attributes["stacktrace"])


def test_winston_loki(stack: Stack, clients: Clients) -> None:
    script = stack.recipe("Node.js: winston-loki", "js")

    clients.node(script + "await transport.flush();\nprocess.exit();\n")

    [row] = stack.rows(f"ServiceName = 'cart' AND {_RECENT}", 1)
    assert (row["SeverityText"], row["Body"]) == ("WARN", "stock is low")
    assert (row["LogAttributes"]["item"], row["LogAttributes"]["env"]) == ("42", "prod")


def test_pino_loki(stack: Stack, clients: Clients) -> None:
    clients.node(stack.recipe("Node.js: pino-loki", "js"))

    [row] = stack.rows(f"ServiceName = 'search' AND {_RECENT}", 1)
    assert (row["SeverityText"], row["Body"], row["LogAttributes"]["item"]) == ("WARN", "stock is low", "42")
    assert row["ResourceAttributes"]["host.name"]


def _by(receiver: str) -> str:
    return f"LogAttributes['log.receiver.name'] = '{receiver}'"

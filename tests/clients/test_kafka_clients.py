"""Programs that write to the topic themselves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack
from tests.support.programs import run

pytestmark = pytest.mark.stack

_WHERE = "Body = 'stock is low' AND NOT mapContains(LogAttributes, 'log.receiver.name')"


@pytest.fixture
def found(stack: Stack) -> int:
    """How many rows others have stored."""
    return int(stack.pipeline.query(f"SELECT count() AS rows FROM logs.logs WHERE {_WHERE}")[0]["rows"])


def check(stack: Stack, found: int) -> None:
    row = stack.rows(_WHERE, found + 1)[-1]
    assert (row["ServiceName"], row["SeverityText"], row["LogAttributes"]["item"]) == ("shop", "WARN", "42")


@pytest.mark.skipif(not shutil.which("kcat"), reason="kcat is not installed")
def test_kcat(stack: Stack, tmp_path: Path, found: int) -> None:
    event = {"service": "shop", "level": "WARN", "message": "stock is low", "item": 42}
    (tmp_path / "app.log").write_text(json.dumps(event) + "\n", encoding="utf-8")
    run(["sh", "-c", f"cd {tmp_path} && {stack.recipe_of_kafka('kcat', 'sh')}"])

    check(stack, found)


def test_confluent_kafka(stack: Stack, clients: Clients, found: int) -> None:
    clients.python(stack.recipe_of_kafka("Python: confluent-kafka", "python"))

    check(stack, found)


def test_kafkajs(stack: Stack, clients: Clients, found: int) -> None:
    clients.node(stack.recipe_of_kafka("Node.js: kafkajs", "js"))

    check(stack, found)

"""The service of the bench of scaling, which stores a fixed number of records per second."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from bench.limited_service import LimitedDelivery
from tests.unit.bench.test_at_least_once import BATCH_ROWS, World

SECS = 4


def limited(path: Path) -> type[LimitedDelivery]:
    """A delivery that takes so many seconds for each batch, with its journal."""

    class Limited(LimitedDelivery):
        rate = BATCH_ROWS / SECS
        journal = path

    return Limited


def test_batches_are_stored_at_the_rate(tmp_path: Path) -> None:
    world = World(limited(tmp_path / "journal"))
    stored_at: list[float] = []
    world.table.meanwhile = lambda: stored_at.append(world.clock())
    world.go_on()

    assert world.table.offsets() == [0, 1, 2, 3, 4, 5]
    # The first one reads ClickHouse's clock too, which takes a turn of a second.
    assert [after - before for before, after in pairwise(stored_at)] == [SECS - 1, SECS]


def test_assignments_and_inserts_are_noted(tmp_path: Path) -> None:
    World(limited(tmp_path / "journal")).go_on()

    entries = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [entry["assigned"] for entry in entries if "assigned" in entry] == ["logs/0"]
    assert [entry["rows"] for entry in entries if "rows" in entry] == [2, 2, 2]

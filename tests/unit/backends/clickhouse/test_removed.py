"""The table of positions may be missing, but not on some of several servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.backends.clickhouse.removed import Removed
from app.errors import TableMissing
from app.settings import ClickHouseSettings

ONE = Removed(ClickHouseSettings())
SEVERAL = Removed(ClickHouseSettings(cluster="both"))


def missing() -> int:
    raise TableMissing("no table", code="60")


def never(sql: str) -> Sequence[Sequence[Any]]:
    raise AssertionError(sql)


def test_without_the_table_nothing_was_removed() -> None:
    assert ONE.if_it_exists(missing, 7, never) == 7
    assert ONE.if_it_exists(lambda: 1, 7, never) == 1
    assert SEVERAL.if_it_exists(lambda: 1, 7, never) == 1


def test_of_several_servers_none_may_have_it() -> None:
    asked: list[str] = []

    def query(sql: str) -> Sequence[Sequence[Any]]:
        asked.append(sql)
        return [(0,)]

    assert SEVERAL.if_it_exists(missing, 7, query) == 7
    assert asked == [
        "SELECT count() FROM clusterAllReplicas('both', system.tables)"
        " WHERE database = 'logs' AND name = 'logs_removed'"
    ]


def test_a_server_without_it_beside_one_with_it_is_an_error() -> None:
    """Otherwise what was removed would be stored again, once that server is the one that answers."""
    with pytest.raises(TableMissing):
        SEVERAL.if_it_exists(missing, 7, lambda _sql: [(1,)])

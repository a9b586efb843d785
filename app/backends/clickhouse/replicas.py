"""Several servers behind one address: how recovery and audit read them, so that no acknowledged row stays unseen.

An insert is stored by one of the servers, and the others learn of it a moment later. Whoever asks one of them "is this
row stored?" or "is this insert still running?" may be told no too early, and would store the row twice. So with
CLICKHOUSE_CLUSTER these questions go to every server of the cluster at once (`clusterAllReplicas`), and a server that
does not answer makes the question fail: it is asked again, and nothing is stored meanwhile.

With SharedMergeTree (ClickHouse Cloud) the server that stored a row may be gone while its row is in object storage:
`select_sequential_consistency` has each server look for new parts first. On ReplicatedMergeTree without quorum it
changes nothing, and asking all replicas is what counts.
Sources: ClickHouse's documentation of `clusterAllReplicas`, `select_sequential_consistency` and SharedMergeTree.
"""

from collections.abc import Mapping
from typing import Final

from app.settings import ClickHouseSettings

_CONSISTENT: Final[Mapping[str, object]] = {"select_sequential_consistency": 1}
_COMPLETE: Final[Mapping[str, object]] = {**_CONSISTENT, "skip_unavailable_shards": 0}


def on_every_server(table: str, settings: ClickHouseSettings) -> str:
    """What to read in place of `table` to see the rows of all servers; rows that several of them have come repeated."""
    return f"clusterAllReplicas('{settings.cluster}', {table})" if settings.cluster else table


def complete_reads(settings: ClickHouseSettings) -> Mapping[str, object]:
    """ClickHouse settings of a query that must see every row that was stored before."""
    return _COMPLETE if settings.cluster else {}


def consistent_reads(settings: ClickHouseSettings) -> Mapping[str, object]:
    """ClickHouse settings of people's queries: a page that follows another must not come from a server that lags."""
    return _CONSISTENT if settings.cluster else {}

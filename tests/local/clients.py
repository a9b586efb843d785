"""Clients of the engine, as in the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from tests.support.servers import RunningEngine

MakeClient = Callable[..., Client]


def open_client(server: RunningEngine, **options: Any) -> Client:
    """A client without a session; `options` go to clickhouse-connect."""
    address = urlsplit(server.url)
    given = {"username": server.user or "default", "password": server.password, **options}
    return clickhouse_connect.get_client(
        host=address.hostname or "",
        port=address.port or 0,
        secure=address.scheme == "https",
        autogenerate_session_id=False,
        **given,
    )


def one_row(client: Client, query: str, **parameters: Any) -> Sequence[Any]:
    """The only row of a result."""
    rows = client.query(query, parameters=parameters or None).result_rows
    assert len(rows) == 1
    return rows[0]

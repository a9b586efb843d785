"""ClickHouseWriter accepts a response to an insert only if it confirms the rows, against the real engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.errors import TryAgainLater
from local.ports import LOOPBACK
from tests.faults.http_proxy import Exchange, HttpProxy, answer_exception_after_200
from tests.support.sample_rows import sample_rows
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack


@pytest.fixture
def proxy(engine: RunningEngine) -> Iterator[HttpProxy]:
    """Between the writer and the engine."""
    made = HttpProxy(int(engine.url.rsplit(":", 1)[1]))
    yield made
    made.listener.shut()


@pytest.fixture
def writer(engine: RunningEngine, proxy: HttpProxy) -> ClickHouseWriter:
    """Of a new table."""
    settings = clickhouse_settings(
        engine, f"answers_{uuid.uuid4().hex[:12]}", url=f"http://{LOOPBACK}:{proxy.listener.port}", retention_days=3650
    )
    ensure_table(settings)
    return ClickHouseWriter(settings)


def insert(writer: ClickHouseWriter) -> None:
    writer.insert(sample_rows(3), uuid.uuid4().hex, int(time.time() * 1000) + 60_000)


def test_an_insert_that_is_done_is_believed(writer: ClickHouseWriter) -> None:
    insert(writer)

    assert writer.missing(sample_rows(3)).num_rows == 0


def test_an_exception_after_the_status_200_is_no_success(writer: ClickHouseWriter, proxy: HttpProxy) -> None:
    writer.now_ms()  # connects
    proxy.treat_all = answer_exception_after_200
    with pytest.raises(TryAgainLater, match="confirms 0 of them") as raised:
        insert(writer)
    proxy.treat_all = None

    assert not raised.value.is_outcome_unknown, "the server has responded: nothing is in flight any more"
    assert writer.missing(sample_rows(3)).num_rows == 3


def test_an_insert_that_was_stored_without_confirmation_is_found_in_the_table(
    writer: ClickHouseWriter, proxy: HttpProxy
) -> None:
    def answer_nothing(exchange: Exchange) -> None:
        exchange.deliver()
        exchange.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    writer.now_ms()
    proxy.treat_all = answer_nothing
    with pytest.raises(TryAgainLater, match="confirms 0 of them"):
        insert(writer)
    proxy.treat_all = None

    assert writer.missing(sample_rows(3)).num_rows == 0

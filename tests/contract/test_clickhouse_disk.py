"""ClickHouseDisk on the real engine: the free space of this machine's disk."""

import shutil
import uuid
from pathlib import Path

import pytest

from app.backends.clickhouse.disk import ClickHouseDisk
from app.backends.clickhouse.schema import ensure_table
from app.errors import TryAgainLater
from app.settings import ClickHouseSettings
from local.engine.server import EngineServer
from local.ports import free_port
from tests.support.servers import RunningEngine, clickhouse_settings

pytestmark = pytest.mark.stack


def settings_of(engine: RunningEngine) -> ClickHouseSettings:
    return clickhouse_settings(engine, f"disk_{uuid.uuid4().hex[:12]}")


def test_the_free_part_is_that_of_the_disk_below_the_table(engine: RunningEngine, tmp_path: Path) -> None:
    if not isinstance(engine, EngineServer):
        pytest.skip("the server at CLICKHOUSE_URL may have another disk than this machine")
    settings = settings_of(engine)
    ensure_table(settings)

    free_ratio = ClickHouseDisk(settings).free_ratio()

    usage = shutil.disk_usage(tmp_path)
    assert free_ratio == pytest.approx(usage.free / usage.total, abs=0.05)


def test_a_missing_table_has_no_free_ratio(engine: RunningEngine) -> None:
    assert ClickHouseDisk(settings_of(engine)).free_ratio() is None


def test_an_unavailable_server_is_to_be_retried() -> None:
    with pytest.raises(TryAgainLater):
        ClickHouseDisk(ClickHouseSettings(url=f"http://127.0.0.1:{free_port()}")).free_ratio()

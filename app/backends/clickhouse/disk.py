"""Disk on ClickHouse: the free space of the table's disk."""

from clickhouse_connect.driver.client import Client

from app.backends.clickhouse.client import connect, translated_errors
from app.settings import ClickHouseSettings

_TIMEOUT_SECS = 10.0
_FREE_RATIO = """
    SELECT min(free_space / total_space) AS free, count() AS disks
    FROM system.disks
    WHERE total_space > 0 AND name IN
    (
        SELECT arrayJoin(disks) FROM system.storage_policies WHERE policy_name IN
            (SELECT storage_policy FROM system.tables WHERE database = {database:String} AND name = {table:String})
    )
"""


class ClickHouseDisk:
    """The disks of one table. One thread at a time."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        """Does not connect yet; the first call does."""
        self._settings = settings
        self._client: Client | None = None

    def free_ratio(self) -> float | None:
        """See `ports.Disk`. Of several disks, the fullest counts."""
        if self._client is None:
            self._client = connect(self._settings, timeout_secs=_TIMEOUT_SECS)
        parameters = {"database": self._settings.database, "table": self._settings.table}
        with translated_errors("read the free space of its disk"):
            [[free, disks]] = self._client.query(_FREE_RATIO, parameters=parameters).result_rows
        return float(free) if disks else None

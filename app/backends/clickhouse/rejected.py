"""Rows that were not understood, read from ClickHouse a few at a time."""

from collections.abc import Iterator, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client

from app.audit.rejected import RejectedRow
from app.backends.clickhouse.client import connect, translated_errors
from app.settings import ClickHouseSettings

_BLOCK_ROWS: Final = 1_000
_AGO: Final = "now64(9) - toIntervalSecond({%s:UInt32})"


def time_conditions(since_secs: int, until_secs: int | None) -> tuple[list[str], dict[str, int]]:
    """Conditions for rows with a Timestamp from so many seconds ago, to so many if given, and their parameters."""
    conditions, parameters = [f"Timestamp >= {_AGO % 'since_secs'}"], {"since_secs": since_secs}
    if until_secs is not None:
        conditions.append(f"Timestamp < {_AGO % 'until_secs'}")
        parameters["until_secs"] = until_secs
    return conditions, parameters


class ClickHouseRejected:
    """The flagged rows of one table, of a range of time. Every call may raise TryAgainLater."""

    def __init__(
        self, settings: ClickHouseSettings, *, since_secs: int, until_secs: int | None, timeout_secs: float
    ) -> None:
        """Connect. The range begins and ends so many seconds ago; without an end it includes times of the future.

        Raises:
            TryAgainLater: ClickHouse does not answer, or refuses the login.
        """
        times, self._parameters = time_conditions(since_secs, until_secs)
        conditions = " AND ".join(["ParseError != ''", *times])
        self._from = f" FROM `{settings.database}`.`{settings.table}` WHERE {conditions}"
        self._client: Client = connect(settings, timeout_secs=timeout_secs)

    def count(self) -> int:
        """The number of flagged rows."""
        with translated_errors("count rows with a ParseError"):
            [[count]] = self._client.query("SELECT count()" + self._from, parameters=self._parameters).result_rows
        return int(count)

    def rows(self, limit: int) -> Iterator[Sequence[RejectedRow]]:
        """Up to `limit` of about the newest flagged rows, in blocks, by the table's order without sorting."""
        sql = (
            "SELECT ParseError, toUnixTimestamp64Milli(Timestamp), _topic, _partition, _offset, _item, Body, _raw,"
            f" LogAttributes{self._from} ORDER BY toStartOfFiveMinutes(Timestamp) DESC LIMIT {limit:d}"
        )
        with translated_errors("read rows with a ParseError"):
            stream = self._client.query_row_block_stream(
                sql,
                parameters=self._parameters,
                settings={"max_block_size": _BLOCK_ROWS},
                column_formats={"Body": "bytes", "_raw": "bytes"},
            )
            with stream:
                for block in stream:
                    yield [RejectedRow(*row) for row in block]

    def close(self) -> None:
        """End the connection."""
        self._client.close()

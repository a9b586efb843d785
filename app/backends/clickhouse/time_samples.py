"""Stored rows that may show that a clock is in another zone than is assumed: a few of each host and service."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final

from app.backends.clickhouse.client import connect, translated_errors
from app.domain.times.reading import IN_THE_FUTURE
from app.preflight.zone_checks import TimeSample
from app.settings import ClickHouseSettings

_TIMEOUT_SECS: Final = 20.0
_MOST_ROWS: Final = 20_000
# What is read is cut off and not refused: some rows are enough.
_LIMITS: Final = {
    "max_execution_time": 10,
    "timeout_overflow_mode": "break",
    "max_rows_to_read": 200_000_000,
    "read_overflow_mode": "break",
}
_SELECT: Final = """
SELECT attribute_host_name AS host, ServiceName AS service, position(ParseError, {problem:String}) > 0 AS is_flagged,
    toUnixTimestamp64Milli(Timestamp), toUnixTimestamp64Milli(_ingested),
    if(LogAttributes['timestamp'] != '', LogAttributes['timestamp'], left(Body, 400))
FROM %s
WHERE Timestamp >= now() - INTERVAL 1 DAY AND (is_flagged
    OR (Timestamp < _ingested - INTERVAL 14 MINUTE AND _reader = {reader:String}))
LIMIT 1 BY host, service, is_flagged, toStartOfInterval(_ingested, INTERVAL 10 MINUTE)
LIMIT {rows:UInt32}"""


def read_time_samples(settings: ClickHouseSettings, reader: str) -> Sequence[TimeSample]:
    """Rows of the last day: of each host and service one of ten minutes, flagged or not.

    Those that are not flagged count only if the reader of this name read them: another may have assumed another zone.

    Raises:
        Refused: the table does not exist, or may not be read.
        TryAgainLater: ClickHouse does not answer.
    """
    with closing(connect(settings, timeout_secs=_TIMEOUT_SECS)) as client, translated_errors("read times of logs"):
        rows = client.query(
            _SELECT % f"`{settings.database}`.`{settings.table}`",
            parameters={"problem": IN_THE_FUTURE, "rows": _MOST_ROWS, "reader": reader},
            settings=_LIMITS,
        ).result_rows
    return [
        TimeSample(host, service, bool(flag), time, stored, text) for host, service, flag, time, stored, text in rows
    ]

"""Reports whether queries can run."""

import time
from collections.abc import Callable
from typing import Final

from app.errors import TableMissing
from app.health import Health
from app.telemetry.reports import SystemReport

PART: Final = "clickhouse reader"

_WITHIN_SECS: Final = 30.0  # three checks


class QueryTelemetry:
    """Called on the thread that checks. See `query.watch.ReaderEvents`."""

    def __init__(self, health: Health, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._health = health
        self._reader = SystemReport("ClickHouse reader", health, clock, expected_within_secs=_WITHIN_SECS)

    def succeeded(self) -> None:
        """Queries can run."""
        self._reader.succeeded()

    def failed(self, error: Exception) -> None:
        """Queries cannot run, because of `error`."""
        if isinstance(error, TableMissing):  # usual at the first start, until the table is made
            self._health.report(PART, str(error))
        else:
            self._reader.failed(error)

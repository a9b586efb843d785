"""`python -m tests.http.served PORT`: the API in a process of its own, whose memory and connections can be watched.

Its deadlines are short, and its logs are always the same: pages of 250 rows, each a kilobyte.
"""

from __future__ import annotations

import sys
from typing import Final

from msgspec.structs import replace

from app.domain.cancellation import Cancellation
from app.domain.statement import Result, Statement
from app.http.limits import Limits
from app.http.server import HttpServer
from app.query.attribute_reference import resolved
from app.settings import HttpSettings
from app.stop_signals import StopSignals
from tests.query.results import result_of
from tests.support.query_application import query_application

LIMITS: Final = Limits(head_secs=0.5, body_secs=0.5, linger_secs=0.3)
_ROWS, _TEXT = 250, "x" * 1_000


class SameLogs:
    """A LogReader that keeps nothing of what it is asked for."""

    def run(self, statement: Statement, *, timeout_secs: float, cancellation: Cancellation | None = None) -> Result:
        """See `ports.LogReader`."""
        result = result_of(Statement(resolved(statement.sql, statement.parameters), statement.parameters))
        if "AS id_timestamp_ns" not in statement.sql:
            return result
        long = [
            _TEXT if isinstance(value, str) and value.startswith("text of Body") else value for value in result.rows[0]
        ]
        return replace(result, rows=[long] * _ROWS)


def main(port: int) -> None:
    """Serve until SIGTERM."""
    signals = StopSignals()
    server = HttpServer(HttpSettings(port=port), query_application(SameLogs()), probes=("/live",), limits=LIMITS)
    server.start()
    signals.wait()
    server.join(10)


if __name__ == "__main__":
    main(int(sys.argv[1]))

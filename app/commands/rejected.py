"""`python -m app rejected`: lists rows that were not understood, and tries today's parser on them. Changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from app.audit.rejected import RejectedRow, Rejections, lines
from app.build.decoder import build_decoder
from app.build.table import rejected_rows
from app.commands.arguments import in_words
from app.console import run_command, say
from app.domain.records import RecordChunk
from app.errors import Refused, TryAgainLater
from app.pipeline.decoded import Decoded
from app.settings import Settings

_QUERY_SECS: Final = 120.0

UNREACHABLE: Final = 2


class RejectedRows(Protocol):
    """The source of flagged rows."""

    def count(self) -> int:
        """The number of flagged rows."""

    def rows(self, limit: int) -> Iterable[Sequence[RejectedRow]]:
        """Up to `limit` of them, a few at a time."""


def list_rejected(settings: Settings, *, since_secs: int, until_secs: int | None, limit: int) -> int:
    """Read the flagged rows of the table from so many seconds ago on, and print the findings. Returns the exit code."""
    clickhouse = settings.clickhouse
    today = build_decoder(settings)

    def job() -> int:
        say(f"ClickHouse at {clickhouse.url}, table {clickhouse.database}.{clickhouse.table}")
        until = "" if until_secs is None else f", without the last {in_words(until_secs)},"
        say(f"Rows of the last {in_words(since_secs)}{until} that were not understood:")
        say("")
        try:
            with rejected_rows(
                clickhouse, since_secs=since_secs, until_secs=until_secs, timeout_secs=_QUERY_SECS
            ) as table:
                report(table, today, limit=limit, say=say)
        except (TryAgainLater, Refused) as error:
            say(
                f"Could not be read: {' '.join(str(error).split()).rstrip('.')}. `python -m app check` says what to do."
            )
            return UNREACHABLE
        return 0

    return run_command(job, cut_off=0)


def report(
    table: RejectedRows, today: Callable[[RecordChunk], Decoded], *, limit: int, say: Callable[[str], Any]
) -> None:
    """Read up to `limit` rows, try today's parser on them, and print the findings."""
    total = table.count()
    found = Rejections(today)
    for rows in table.rows(limit):
        found.add(rows)
    for line in lines(found, total, limit):
        say(line)

"""`python -m app reprocess`: stores rejected rows anew that today's parser understands."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from app.build.maintenance import reprocessing
from app.commands.arguments import in_words
from app.console import run_command, say
from app.errors import Refused, TryAgainLater
from app.maintenance.reprocess import Reprocessed, Reprocessing
from app.settings import Settings

NOT_DONE: Final = 2


def reprocess(settings: Settings, *, since_secs: int, until_secs: int | None, limit: int) -> int:
    """Store the rejected rows of this time anew, up to `limit` records. Returns the exit code."""

    def job() -> int:
        clickhouse = settings.clickhouse
        say(f"ClickHouse at {clickhouse.url}, table {clickhouse.database}.{clickhouse.table}")
        until = "" if until_secs is None else f", without the last {in_words(until_secs)},"
        say(f"Rows of the last {in_words(since_secs)}{until} that were not understood are read again:")
        try:
            with reprocessing(settings, since_secs=since_secs, until_secs=until_secs) as run:
                return run_in_words(run, limit, say)
        except (TryAgainLater, Refused) as error:
            return _fail(error, say)

    return run_command(job, cut_off=NOT_DONE)


def run_in_words(run: Reprocessing, limit: int, say: Callable[[str], Any]) -> int:
    """Run it, and print what was done. Returns the exit code."""
    try:
        run.run(limit, on_batch=partial(_print_progress, say=say))
    except (TryAgainLater, Refused) as error:
        for line in _lines(run.outcome):
            say(line)
        return _fail(error, say)
    for line in _lines(run.outcome):
        say(line)
    return 0


def _fail(error: Exception, say: Callable[[str], Any]) -> int:
    say(f"Failed: {' '.join(str(error).split()).rstrip('.')}. What is done stays; run the command again.")
    return NOT_DONE


def _print_progress(outcome: Reprocessed, say: Callable[[str], Any]) -> None:
    say(f"  {_several(outcome.restored)} stored anew, {_several(sum(outcome.left.values()))} left")


def _lines(outcome: Reprocessed) -> Iterator[str]:
    if outcome.finished:
        yield f"An earlier run had not deleted {_several(outcome.finished)} that it had stored anew; now it is done."
    new = f" as {outcome.new_rows:,}" if outcome.new_rows != outcome.restored else ""
    yield f"{_several(outcome.restored)} stored anew{new}, with {_several(sum(outcome.left.values()))} left as before."
    for reason, count in outcome.left.items():
        if count:
            yield f"  {count:,}: {reason}"


def _several(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"

"""`python -m app migrate`: migrates the table to the schema of this version, by hand."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from app.build.table import Standing, materialize, prepare_table
from app.console import run_command, say
from app.errors import TryAgainLater
from app.settings import ClickHouseSettings

_STATEMENT_SECS: Final = 600.0  # no probe waits for the command

NOT_DONE: Final = 2


def migrate_table(settings: ClickHouseSettings, *, is_for_old_rows: bool) -> int:
    """Migrate the table, and print what was done. Returns the exit code."""
    return run_command(partial(_migrate, settings, is_for_old_rows), cut_off=0)


def _migrate(settings: ClickHouseSettings, is_for_old_rows: bool) -> int:
    table = f"{settings.database}.{settings.table}"
    say(f"ClickHouse at {settings.url}, table {table}")
    try:
        prepared = prepare_table(
            settings,
            on_made=lambda: say("The table was missing and has been created."),
            on_applied=lambda name: say(f"Applied {name}."),
            timeout_secs=_STATEMENT_SECS,
        )
        say(in_words(prepared.standing))
        if is_for_old_rows:
            names = materialize(settings, timeout_secs=_STATEMENT_SECS)
            print_mutation(names, settings, say)
    except TryAgainLater as error:
        say(f"Failed: {' '.join(str(error).split()).rstrip('.')}.")
        return NOT_DONE
    return 0


def in_words(standing: Standing) -> str:
    """The table's schema compared with that of this version, as a sentence."""
    if standing.is_newer:
        return (
            f"The table has schema {standing.number}, this version of the service has {standing.last}: a later version"
            " has migrated it. Nothing to do."
        )
    return f"The table has schema {standing.number}, which is up to date."


def print_mutation(names: Sequence[str], settings: ClickHouseSettings, say: Callable[[str], Any]) -> None:
    """Print what ClickHouse is building now, and the query for its progress."""
    say(f"ClickHouse builds for old rows, in the background: {', '.join(names) or 'nothing'}.")
    say("To see the progress:")
    say(
        "  SELECT command, parts_to_do, is_done, latest_fail_reason FROM system.mutations"
        f" WHERE database = '{settings.database}' AND table = '{settings.table}' AND NOT is_done"
    )

"""`python -m app delete`: deletes the logs of one user, so that they are not stored again."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from app.build.maintenance import removable_rows
from app.console import run_command, say
from app.errors import Refused, TryAgainLater
from app.maintenance.removal import OfUser, RemovableRows, Waiting, remove_now
from app.settings import Settings

NOT_DONE: Final = 2


def delete(settings: Settings, *, user: str, with_mentions: bool, is_confirmed: bool) -> int:
    """Count the logs of a user, and delete them if that is confirmed. Returns the exit code."""

    def job() -> int:
        clickhouse = settings.clickhouse
        say(f"ClickHouse at {clickhouse.url}, table {clickhouse.database}.{clickhouse.table}")
        try:
            with removable_rows(settings) as table:
                return delete_in_words(table, OfUser(user, with_mentions), is_confirmed=is_confirmed, say=say)
        except (TryAgainLater, Refused) as error:
            say(f"Failed: {' '.join(str(error).split()).rstrip('.')}. Run the command again.")
            return NOT_DONE

    return run_command(job, cut_off=NOT_DONE)


def delete_in_words(table: RemovableRows, wanted: OfUser, *, is_confirmed: bool, say: Callable[[str], Any]) -> int:
    """Count, delete if that is confirmed, and print both. Returns the exit code.

    Raises:
        TryAgainLater: ClickHouse does not answer.
    """
    of_user = table.count(replace(wanted, with_mentions=False))
    others = table.count(replace(wanted, with_mentions=True)) - of_user
    say(f"{_several(of_user)} of the user {wanted.user!r}.")
    say(
        f"{_several(others)} of others, or of nobody, with this text in message, attributes or raw text"
        + (", deleted too." if wanted.with_mentions else ": not deleted, unless you add --mentions.")
    )
    if not is_confirmed:
        say("Nothing was deleted. To delete them for good, add --yes.")
        return 0
    left = remove_now(table, wanted, Waiting())
    say("Deleted. Their positions are kept, so that they are not stored again and the audit does not miss them.")
    if left:
        say(f"{_several(left)} of them were stored in the meantime: run the command again.")
    say(
        "Kafka still has the records until its retention ends, and backups have what they had. Logs of the user that"
        " are not stored yet will be: run the command again once the lag is gone."
    )
    return 0


def _several(count: int) -> str:
    return f"{count:,} log" if count == 1 else f"{count:,} logs"

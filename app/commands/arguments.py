"""The command-line arguments of `python -m app`."""

import argparse
import re
import sys
import time
from collections.abc import Sequence

from app.client import arguments as client
from app.client.send import add_send
from app.commands.explain_arguments import add_explain
from app.commands.token_arguments import add_token

_SINCE = ("--since", "--from", "--start")  # as for the commands that query
_DURATION = re.compile(r"\d{1,6}[smhdw]")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command, None for the service itself, and its options.

    Raises:
        SystemExit: the arguments are invalid, or help was requested; the message is printed already.
    """
    parser = argparse.ArgumentParser(
        prog="python -m app", description="Run the service, or the given command. Settings: docs/reference.md."
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("check", help="check Kafka, ClickHouse and the settings, and give advice")

    audit = commands.add_parser(
        "audit",
        help="compare what was consumed with what is stored",
        description="Compare what was consumed with what is stored. Exit code 0: everything is accounted for,"
        " 1: something is missing or duplicated, 2: not everything could be checked.",
    )
    audit.add_argument(
        *_SINCE,
        dest="since",
        type=age_secs,
        default="2d",
        metavar="TIME",
        help="check records no older than this, by Kafka's timestamp: 90m, 36h, 2d (default; rows of older records may"
        " have expired), 2026-11-23T10:15:00Z",
    )
    audit.add_argument("--json", action="store_true", help="print all findings as JSON")

    rejected = commands.add_parser(
        "rejected",
        help="list rows that could not be parsed, and try today's parser on them",
        description="List rows that could not be parsed, by reason, and try today's parser on them. Changes nothing.",
    )
    _add_rejected_rows(rejected)

    reprocess = commands.add_parser(
        "reprocess",
        help="store rejected rows anew that today's parser understands",
        description="Read rows that could not be parsed again, from Kafka or else from the row, and store those anew"
        " that today's parser understands. `rejected` says beforehand how many. It can be stopped at any moment and run"
        " again (docs/maintenance.md). Exit code 0: done, 2: failed; what is done stays.",
    )
    _add_rejected_rows(reprocess)

    delete = commands.add_parser(
        "delete",
        help="delete the logs of one user for good",
        description="Count the logs of one user; with --yes, delete them. A record that is read again from Kafka does"
        " not bring them back, and the audit does not miss them (docs/maintenance.md). Exit code 0: done, 2: failed;"
        " run it again then.",
    )
    delete.add_argument("--user", required=True, type=_user, metavar="ID", help="the value of user_id, exactly")
    delete.add_argument(
        "--mentions",
        action="store_true",
        help="delete other logs too that have this text anywhere in message, attributes or raw text",
    )
    delete.add_argument("--yes", action="store_true", help="delete them; without it they are only counted")

    retention = commands.add_parser(
        "retention",
        help="show what has expired by the rules of services, or remove it",
        description="Show the rules of RETENTION_DAYS_BY_SERVICE, and the logs that have expired by them, by day and"
        " service; with --apply, remove these as the service does every RETENTION_INTERVAL_SECS. A record that is read"
        " again from Kafka does not bring them back, and the audit does not miss them (docs/maintenance.md). Exit code"
        " 0: done, 2: failed; what is done stays, run it again then.",
    )
    retention.add_argument("--apply", action="store_true", help="remove them; without it they are only counted")

    migrate = commands.add_parser(
        "migrate",
        help="migrate the table to the schema of this version",
        description="Create the table if it is missing, or apply pending migrations, as the service does at its start,"
        " but with a ClickHouse user who has the privileges for it. Exit code 0: done, or nothing to do, 2: failed;"
        " what is done stays, and the command can be run again.",
    )
    migrate.add_argument(
        "--materialize",
        action="store_true",
        help="afterwards, build the indexes and projections for old rows too: ClickHouse does it in the background,"
        " reads all rows, and may take hours",
    )

    schema = commands.add_parser(
        "schema",
        help="print the statements that create the table",
        description="Print the statements that create the table, with the configured names and retention, for"
        " clickhouse-client. Connects to nothing and changes nothing.",
    )
    schema.add_argument(
        "--cluster",
        type=_cluster,
        default=None,
        metavar="NAME",
        help="for this ClickHouse cluster: a replicated table on every node, and a distributed one for reading"
        " (docs/cluster.md)",
    )

    add_explain(commands)
    add_token(commands)
    client.add_commands(commands)
    add_send(commands)
    if arguments and arguments[0] in client.NAMES:
        arguments = client.sorted_out(arguments)
    parsed = parser.parse_args(arguments)
    if parsed.command == "explain" and bool(parsed.input) == bool(parsed.file):
        parser.error("explain: give lines, a file, or - for standard input; see --help")
    if getattr(parsed, "until", None) is not None and parsed.until >= parsed.since:
        parser.error("--from is not before --to")
    return parsed


def age_secs(text: str) -> int:
    """How many seconds ago a time was: a duration such as "90m", "now-90m", or a moment such as 2026-11-23T10:15:00Z.

    Raises:
        ArgumentTypeError: the text is none of these, or not in the past.
    """
    # Imported late: commands that ask the service over HTTP do not need what these import, and begin sooner.
    from app.query.errors import BadParameter
    from app.query.time_range import SECOND_NS, read_moment

    text = text.strip()
    now_ns = time.time_ns()
    try:
        moment_ns = read_moment("time", f"now-{text}" if _DURATION.fullmatch(text) else text, now_ns=now_ns)
    except BadParameter:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time: write 30s, 90m, 36h, 2d, or 2026-11-23T10:15:00Z"
        ) from None
    if moment_ns >= now_ns:
        raise argparse.ArgumentTypeError(f"{text!r} is not in the past")
    return (now_ns - moment_ns) // SECOND_NS


def in_words(secs: int) -> str:
    """A duration in words, such as "2 days"."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if secs % size == 0:
            count = secs // size
            return unit if count == 1 else f"{count} {unit}s"
    raise ValueError(secs)


def _add_rejected_rows(command: argparse.ArgumentParser) -> None:
    """Options that choose rejected rows."""
    command.add_argument(
        *_SINCE,
        dest="since",
        type=age_secs,
        default="1d",
        metavar="TIME",
        help="rows with a Timestamp no older than this: 90m, 36h, 1d (default), 2026-11-23T10:15:00Z",
    )
    command.add_argument(
        *("--to", "--end"),
        dest="until",
        type=age_secs,
        default=None,
        metavar="TIME",
        help="rows with a Timestamp before this (default: all that follow)",
    )
    command.add_argument(
        "--limit", type=_positive, default=100_000, metavar="ROWS", help="maximum number of rows (default 100000)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


def _user(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("an empty user is none: all logs without a user would be deleted")
    if not _is_unicode(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not in the terminal's encoding, {sys.getfilesystemencoding()}")
    return text


def _is_unicode(text: str) -> bool:
    """Whether an argument was decoded: bytes that cannot be are surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cluster(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a cluster")
    return text

"""The command-line arguments of `python -m app`."""

import argparse
import re
from collections.abc import Sequence

_UNIT_SECS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command, None for the service itself, and its options.

    Raises:
        SystemExit: the arguments are invalid, or help was requested; the message is printed already.
    """
    parser = argparse.ArgumentParser(
        prog="python -m app", description="The service; with a command, one job instead. Settings: docs/reference.md."
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("check", help="look at Kafka, ClickHouse and the settings, and say what to do")

    audit = commands.add_parser(
        "audit",
        help="compare what was consumed with what is stored",
        description="Compare what was consumed with what is stored. Exit code 0: everything is accounted for,"
        " 1: something is missing or duplicated, 2: it could not be judged.",
    )
    audit.add_argument(
        "--since",
        type=duration_secs,
        default=duration_secs("2d"),
        metavar="TIME",
        help="judge records no older than this, as Kafka dates them: 90m, 36h, 2d (default; rows of older records may"
        " have expired)",
    )
    audit.add_argument("--json", action="store_true", help="all that was found, for programs")

    rejected = commands.add_parser(
        "rejected",
        help="list rows that were not understood, and try today's parser on them",
        description="List rows that were not understood, by reason, and try today's parser on them. Changes nothing.",
    )
    rejected.add_argument(
        "--since",
        type=duration_secs,
        default=duration_secs("1d"),
        metavar="TIME",
        help="rows with a Timestamp no older than this: 90m, 36h, 1d (default)",
    )
    rejected.add_argument(
        "--limit", type=_positive, default=100_000, metavar="ROWS", help="look at no more rows (default 100000)"
    )

    migrate = commands.add_parser(
        "migrate",
        help="bring the table to the schema of this version",
        description="Make the table if it is missing, or apply the migrations that it has not had, as the service does"
        " at its start: for a user who may, where the service's may not. Exit code 0: done, or nothing to do,"
        " 2: it could not be done; what is done stays, and it can be run again.",
    )
    migrate.add_argument(
        "--materialize",
        action="store_true",
        help="then have ClickHouse build the indexes and projections for old rows too: it works in the background,"
        " reads them all, and may take hours",
    )

    schema = commands.add_parser(
        "schema",
        help="print the statements that make the table",
        description="Print the statements that make the table, with the names and the retention that are set, for"
        " clickhouse-client. Asks nobody and changes nothing.",
    )
    schema.add_argument(
        "--cluster",
        type=_cluster,
        default=None,
        metavar="NAME",
        help="for this cluster of ClickHouse: a replicated table on every node, and one over them for reading"
        " (docs/cluster.md)",
    )

    query = commands.add_parser(
        "query",
        help="find logs, and follow them",
        description="Print the newest logs that match, the newest last. The language: docs/query.md.",
    )
    query.add_argument("query", nargs="?", default="", help="what to look for, such as 'service:checkout level:>=warn'")
    query.add_argument("--start", default="now-1h", metavar="TIME", help="from when on (default now-1h)")
    query.add_argument("--end", default="now", metavar="TIME", help="before when (default now)")
    query.add_argument("--limit", type=_positive, default=50, metavar="ROWS", help="no more than these (default 50)")
    query.add_argument("--cursor", default="", help="go on where an answer whose time was up has ended")
    query.add_argument("--fields", default="", metavar="NAMES", help="only these, comma-separated")
    query.add_argument("-f", "--follow", action="store_true", help="go on with what is stored from now on")
    query.add_argument("--json", action="store_true", help="a JSON object a line, for programs")
    query.add_argument("--colour", "--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    query.add_argument("--timeout-ms", type=_positive, default=None, metavar="MS", help="time that it may take")
    return parser.parse_args(arguments)


def duration_secs(text: str) -> int:
    """Seconds of a duration such as "90m".

    Raises:
        ArgumentTypeError: the text is not a duration.
    """
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 30s, 90m, 36h or 2d")
    return int(found[1]) * _UNIT_SECS[found[2]]


def in_words(secs: int) -> str:
    """A duration in words, such as "2 days"."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if secs % size == 0:
            count = secs // size
            return unit if count == 1 else f"{count} {unit}s"
    raise ValueError(secs)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


def _cluster(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a cluster")
    return text

"""The arguments of `python -m app token`."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_DURATION = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_token(commands: Any) -> None:
    """Add the command to those of the parser."""
    token = commands.add_parser(
        "token",
        help="make, list and revoke the tokens that requests need",
        description="Make, list and revoke tokens (docs/access.md). The file is --file or AUTH_TOKENS_FILE; the"
        " service reads a changed one by itself.",
    )
    actions = token.add_subparsers(dest="action", metavar="action", required=True)

    create = actions.add_parser(
        "create",
        help="make a token",
        description="Make a token. Prints its secret, which is kept nowhere else; with a file, adds its line there,"
        " otherwise prints the line too.",
    )
    create.add_argument("name", metavar="NAME", help="who will use it; appears in logs")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        metavar="SCOPE",
        help="what it allows: read, ingest or admin; several with commas, or as several options",
    )
    create.add_argument("--only", default="", metavar="QUERY", help="the logs that it may read (default: all)")
    create.add_argument(
        "--expires",
        type=expiry,
        default=None,
        metavar="TIME",
        help="when it ends: 12h, 90d, 2027-01-01 (default: never)",
    )
    listing = actions.add_parser("list", help="list tokens, without what could be used to guess their secrets")
    revoke = actions.add_parser("revoke", help="remove a token from the file")
    revoke.add_argument("name", metavar="NAME", help="the token to remove")
    for action in (create, listing, revoke):
        action.add_argument("--file", type=Path, default=None, metavar="FILE", help="the file of tokens")


def expiry(text: str) -> datetime:
    """The time after a duration such as 90d, or a time such as 2027-01-01.

    Raises:
        ArgumentTypeError: the text is none of these, or not in the future.
    """
    from app.access.token_lines import BadLine, read_expiry  # late: other commands start without the query language

    now = datetime.now(UTC)
    try:
        if found := _DURATION.fullmatch(text):
            return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
        time = read_expiry(text)
    except BadLine as error:
        raise argparse.ArgumentTypeError(f"{error}, or a duration such as 12h or 90d") from error
    if time <= now:
        raise argparse.ArgumentTypeError(f"{text!r} is not in the future")
    return time

"""What PostgreSQL writes behind the time besides its usual prefix: the columns of csvlog, and Azure's prefix. Pure.

Sources: postgresql.org/docs, "Using CSV-Format Log Output"; the prefix of Azure's servers is `%t-%c-`.
"""

import re
from typing import Final, NamedTuple

from app.formats.level_words import WITH_COLON

_TEXT: Final = r'(?:"[^"]{0,255}")?'
_SESSION: Final = r"[0-9a-f]{1,8}\.[0-9a-f]{1,8}"
_CSVLOG: Final = re.compile(  # user, database, process, client, session, line, command, its start, transactions, level
    rf",{_TEXT},{_TEXT},(\d{{1,10}}),{_TEXT},{_SESSION},\d{{1,10}},{_TEXT},[^,]{{10,40}},[^,]{{0,20}},\d{{1,20}},"
    r"([A-Z]{3,7}\d?),",
    re.ASCII,
)
_OF_AZURE: Final = re.compile(rf"-{_SESSION}-(?=[A-Z]{{3,7}}\d?: )", re.ASCII)


class Columns(NamedTuple):
    """What the columns of csvlog say, and where the level stands."""

    pid: str
    level: str
    level_start: int
    level_end: int


def read_csvlog(line: str, end: int) -> Columns | None:
    """The columns behind a time that ends at `end`, None for any other line."""
    match = _CSVLOG.match(line, end) if line.startswith(",", end) else None
    level = "" if match is None else WITH_COLON.get(match[2], "")
    return Columns(match[1], level, *match.span(2)) if match is not None and level else None


def end_of_session(line: str, end: int) -> int:
    """Where the id of a session ends that stands between a time and the level; `end` where there is none."""
    match = _OF_AZURE.match(line, end) if line.startswith("-", end) else None
    return match.end() if match else end

"""Builds the statement that the engine runs from the parts of an HTTP request. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from local.engine.errors import UNKNOWN_SETTING, EngineError

DEFAULT_FORMAT = "TabSeparated"
# Of requests that name none. chDB's own one, `default`, also offers the files of the working directory as tables.
DEFAULT_DATABASE = "home"

# URL parameters that belong to HTTP; every other one is a setting of the engine.
_NOT_SETTINGS = frozenset(
    {
        "query",
        "database",
        "query_id",
        "default_format",
        "user",
        "password",
        "role",
        "quota_key",
        "stacktrace",
        "compress",
        "decompress",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "client_protocol_version",
        "buffer_size",
        "wait_end_of_query",
        "log_comment",
    }
)
_SETTING_NAME = re.compile(r"[A-Za-z0-9_]+")
# Formats without header and footer: their pieces can be concatenated.
_STREAMED_FORMATS = frozenset(
    {
        "native",
        "rowbinary",
        "jsoneachrow",
        "jsonlines",
        "ndjson",
        "jsoncompacteachrow",
        "tabseparated",
        "tsv",
        "tabseparatedraw",
        "tsvraw",
        "csv",
    }
)
_BLANK = r"(?:\s|--[^\n]*\n|/\*.*?\*/)"
_READS = re.compile(rf"(?:{_BLANK}|\()*(?:SELECT|WITH)\b", re.IGNORECASE | re.DOTALL)
_INSERTS = re.compile(rf"{_BLANK}*INSERT\b", re.IGNORECASE | re.DOTALL)
_NAME = r"(?:`[^`]+`|\"[^\"]+\"|[\w$]+)"
_INTO = (
    rf"{_BLANK}*INSERT\s+INTO\s+(?:TABLE\s+)?{_NAME}(?:\s*\.\s*{_NAME})?\s*"
    r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)\s*)?"
)
# An INSERT whose rows follow it: neither SELECT nor a function stands between the table and the format.
_INSERT_HEAD = re.compile(
    rf"(?P<head>{_INTO}(?:SETTINGS\s[^;]*?)?)"
    r"(?:(?<=[\s)`\"])FORMAT\s+(?P<format>\w+)(?:\s*;)?|(?<=[\s)`\"])VALUES\b)\s?",
    re.IGNORECASE | re.DOTALL,
)
_INSERT_SETTINGS = re.compile(rf"(?P<into>{_INTO})(?P<settings>.*)", re.IGNORECASE | re.DOTALL)
_FORMAT = re.compile(r"\sFORMAT\s+(\w+)\s*(?:SETTINGS\s[^;]*)?;?\s*$", re.IGNORECASE)
_PROCESSES = re.compile(r"\bclusterAllReplicas\('[\w.-]+', system\.processes\)|\bsystem\.processes\b", re.IGNORECASE)
_KILL = re.compile(rf"{_BLANK}*KILL\s+QUERY\b", re.IGNORECASE | re.DOTALL)
# The engine names queries itself; ours carry the client's id as their log comment.
QUERY_ID_COLUMN = "Settings['log_comment']"


@dataclass(frozen=True)
class Statement:
    """The statement for the engine. `rows` are the bytes that follow an INSERT, None if there are none."""

    sql: str
    format: str
    rows: Sequence[bytes] | None = None
    is_read: bool = False

    def reading(self, path: str) -> str:
        """The INSERT with its rows in a file."""
        parts = _INSERT_SETTINGS.fullmatch(self.sql)
        assert parts is not None  # the head was found by the same expression
        return f"{parts['into']} FROM INFILE {quoted(path)} COMPRESSION 'none' {parts['settings']} FORMAT {self.format}"

    @property
    def is_streamed(self) -> bool:
        """Whether the result may be fetched and sent piece by piece."""
        return self.is_read and self.format.lower() in _STREAMED_FORMATS


@dataclass(frozen=True)
class Session:
    """Database, settings and parameters of one request; they do not outlast it."""

    query_id: str
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_readonly: bool = False

    @cached_property
    def kind(self) -> object:
        """What it has in common with sessions that differ only in the values of settings and parameters."""
        return self.database, self._readonly, frozenset(self.settings), frozenset(self.parameters)

    @property
    def can_be_changed(self) -> bool:
        """Whether `changes` may be run later: nothing can be set where readonly is 1."""
        return self._readonly != "1"

    def statements(self) -> list[str]:
        """The statements to run on a new connection before the statement itself."""
        # The engine checks all of a SET before it sets the first.
        values = self._values | ({"readonly": self._readonly} if self._readonly else {})
        return [*([f"USE `{self.database.replace('`', '``')}`"] if self.database else []), _set(values)]

    def changes(self, last: Session) -> list[str]:
        """The statements to run instead on a connection whose last session was `last`, of the same kind."""
        before = last._values
        values = {name: value for name, value in self._values.items() if before[name] != value}
        return [_set(values)] if values else []

    @property
    def _readonly(self) -> str:
        return self.settings.get("readonly", "2" if self.is_readonly else "")

    @property
    def _values(self) -> dict[str, str]:
        """All values but that of readonly, which cannot be changed again."""
        settings = {name: value for name, value in self.settings.items() if name != "readonly"}
        parameters = {f"param_{name}": value for name, value in self.parameters.items()}
        return {"log_comment": self.query_id, **settings, **parameters}


def _set(values: Mapping[str, str]) -> str:
    return "SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in values.items())


def session(url: Mapping[str, str], query_id: str, *, database: str, is_readonly: bool) -> Session:
    """The session from the parameters of a URL.

    Raises:
        EngineError: a name that cannot be a setting.
    """
    settings = {
        name: value for name, value in url.items() if name not in _NOT_SETTINGS and not name.startswith("param_")
    }
    for name in settings:
        if not _SETTING_NAME.fullmatch(name):
            raise EngineError.refused(UNKNOWN_SETTING, f"Unknown setting '{name}'.", "UNKNOWN_SETTING")
    parameters = {name.removeprefix("param_"): value for name, value in url.items() if name.startswith("param_")}
    return Session(query_id, url.get("database") or database or DEFAULT_DATABASE, settings, parameters, is_readonly)


def statement(url_query: str, body: Sequence[bytes], default_format: str) -> Statement:
    """The statement in a URL, in a body, or begun in the URL and continued in the body."""
    if _INSERTS.match(url_query):
        return _insert(url_query, body)
    if not url_query.strip() and body and _INSERTS.match(body[0][:4096].decode(errors="replace")):
        return _insert_in_body(body)
    text = b"".join(body).decode(errors="replace")
    sql = _with_our_query_ids("\n".join(part for part in (url_query, text) if part))
    named = _FORMAT.search(sql)
    return Statement(sql, named[1] if named else default_format, is_read=bool(_READS.match(sql)))


def _insert(sql: str, rows: Sequence[bytes]) -> Statement:
    head = _INSERT_HEAD.match(sql)
    if head is None or (head["format"] is None and not rows):
        return Statement("\n".join([sql, b"".join(rows).decode(errors="replace")]), DEFAULT_FORMAT)
    inline = sql[head.end() :].encode()
    return Statement(head["head"], head["format"] or "Values", [inline, *rows] if inline.strip() else rows)


def _insert_in_body(body: Sequence[bytes]) -> Statement:
    # latin-1 has one character per byte, so positions in the text are positions in the bytes.
    head = _INSERT_HEAD.match(body[0][:65536].decode("latin-1"))
    if head is None or head["format"] is None:
        return Statement(b"".join(body).decode(errors="replace"), DEFAULT_FORMAT)
    sql = head["head"].encode("latin-1").decode(errors="replace")
    return Statement(sql, head["format"], [body[0][head.end() :], *body[1:]])


def _with_our_query_ids(sql: str) -> str:
    if _KILL.match(sql):
        return re.sub(r"\bquery_id\b", QUERY_ID_COLUMN, sql)
    return _PROCESSES.sub(lambda found: f"(SELECT * REPLACE ({QUERY_ID_COLUMN} AS query_id) FROM {found[0]})", sql)


def quoted(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

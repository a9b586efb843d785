"""The text that holds tokens: one a line, `#` before comments.

    NAME SCOPES sha256:HEX [expires=TIME] [only=QUERY to the end of the line]
    grafana read sha256:ab12… expires=2027-01-01 only=service:payment-*

Several scopes are separated by commas. A time without a zone is UTC.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from app.access.principal import ANONYMOUS, GRANTED, Right
from app.access.tokens import Token, Tokens
from app.query.errors import QueryError
from app.query.language import parse
from app.query.scope import EVERYTHING, Scope

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_FORM: Final = "NAME SCOPES sha256:HEX [expires=TIME] [only=QUERY]"


class BadTokens(Exception):
    """The text is not one of tokens. `problems` are sentences, each with its line; they hold no hash."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Word(NamedTuple):
    column: int  # from 0
    text: str


class BadLine(Exception):
    """A line, or a word of one, is not as it must be. `column` is where, from 0."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def read_tokens(text: str) -> Tokens:
    """The tokens of a text.

    Raises:
        BadTokens: with every problem.
    """
    tokens: list[Token] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if token := token_of(line):
                _check_unlike(token, tokens)
                tokens.append(token)
        except BadLine as wrong:
            problems.append(f"line {number}, column {wrong.column + 1}: {wrong}")
    if problems:
        raise BadTokens(problems)
    return Tokens(tokens)


def token_of(line: str) -> Token | None:
    """The token of a line; None if the line is empty or a comment.

    Raises:
        BadLine: it is neither.
    """
    words = list(words_of(line))
    if not words or words[0].text.startswith("#"):
        return None
    if len(words) < 3:
        raise BadLine(0, f"must be like {_FORM}")
    name, scopes, digest, *options = words
    expires, only, scope = None, "", EVERYTHING
    rights = read_scopes(scopes.text, scopes.column)
    for option in options:
        key, _, value = option.text.partition("=")
        column = option.column + len(key) + 1
        if key == "expires" and expires is None:
            expires = read_expiry(value, column)
        elif key == "only":
            only, scope = value, read_only(value, rights, column)
        else:
            raise BadLine(option.column, f"{option.text!r} must be expires=TIME, once, or only=QUERY at the end")
    return Token(read_name(name.text, name.column), rights, _digest(digest), expires, only, scope)


def line_of(token: Token) -> str:
    """The line of a token."""
    words = [token.name, scopes_of(token.rights), f"sha256:{token.digest.hex()}"]
    if token.expires is not None:
        words.append(f"expires={time_text(token.expires)}")
    if token.only:
        words.append(f"only={token.only}")
    return " ".join(words)


def scopes_of(rights: Iterable[Right]) -> str:
    """Rights as they are written."""
    return ",".join(right.value for right in rights)


def time_text(time: datetime) -> str:
    """A time as it is written."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def read_name(name: str, column: int = 0) -> str:
    """The name of a token, which appears in logs.

    Raises:
        BadLine: it is not one.
    """
    if NAME.fullmatch(name) is None:
        raise BadLine(
            column, f"the name {name!r} must be 1 to 64 of A-Z a-z 0-9 . _ @ - and begin with one of A-Z a-z 0-9"
        )
    if name == ANONYMOUS.name:
        raise BadLine(column, f"{name!r} is the name of senders without a token")
    return name


def read_scopes(text: str, column: int = 0) -> tuple[Right, ...]:
    """The rights of a comma-separated list.

    Raises:
        BadLine: it is not one.
    """
    names = text.split(",")
    if not set(names) <= {right.value for right in GRANTED}:
        raise BadLine(column, f"the scopes {text!r} must be of {scopes_of(GRANTED)}, comma-separated")
    return tuple(right for right in GRANTED if right.value in names)


def read_expiry(text: str, column: int = 0) -> datetime:
    """A time, UTC where it has no zone.

    Raises:
        BadLine: it is not one.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadLine(column, f"the time {text!r} must be like 2027-01-01 or 2027-01-01T00:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read_only(query: str, rights: Iterable[Right], column: int = 0) -> Scope:
    """The logs that a query matches, for a token with these rights.

    Raises:
        BadLine: it is not a query, or limits nothing.
    """
    if Right.READ not in rights:
        raise BadLine(column, "only= limits what is read, and this token has no scope read")
    try:
        scope = Scope(parse(query).tree)
    except QueryError as error:
        raise BadLine(column + error.position, f"only={query}: {error}") from error
    if scope.is_everything:
        raise BadLine(column, "only= needs a query that limits something; leave it out for all logs")
    return scope


def _digest(word: _Word) -> bytes:
    found = _DIGEST.fullmatch(word.text)
    if found is None:  # it is not shown: it may be the secret
        raise BadLine(
            word.column, "the third word must be sha256: and 64 digits of 0-9 a-f, as `token create` prints it"
        )
    return bytes.fromhex(found[1])


def _check_unlike(token: Token, others: Iterable[Token]) -> None:
    for other in others:
        if other.name == token.name:
            raise BadLine(0, f"there is a token {token.name!r} already")
        if other.digest == token.digest:
            raise BadLine(0, f"has the secret of {other.name!r}: make one of its own")


def words_of(line: str) -> Iterator[_Word]:
    """The words of a line; `only=` begins the last, which has all that follows."""
    for found in re.finditer(r"only=.*\S|\S+", line):
        yield _Word(found.start(), found[0])

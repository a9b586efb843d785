"""Connects every ClickHouse client of the service, and translates ClickHouse's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from urllib3.exceptions import HTTPError

from app.errors import Refused, TableMissing, TryAgainLater
from app.settings import ClickHouseSettings

CONNECT_SECS: Final = 5

# The server has checked the data and does not accept it. All other codes are retried: most errors end by themselves or
# when an operator acts (no table, no permission, no space, too much memory), and a row must never be flagged for a
# fault of the server.
_REFUSED_CODES: Final = frozenset(
    {
        6,  # CANNOT_PARSE_TEXT
        27,  # CANNOT_PARSE_INPUT_ASSERTION_FAILED
        33,  # CANNOT_READ_ALL_DATA
        38,  # CANNOT_PARSE_DATE
        41,  # CANNOT_PARSE_DATETIME
        53,  # TYPE_MISMATCH
        69,  # ARGUMENT_OUT_OF_BOUND
        70,  # CANNOT_CONVERT_TYPE
        72,  # CANNOT_PARSE_NUMBER
        117,  # INCORRECT_DATA
        131,  # TOO_LARGE_STRING_SIZE
        128,  # TOO_LARGE_ARRAY_SIZE
        321,  # VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
        349,  # CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
        407,  # DECIMAL_OVERFLOW
    }
)

# Definite errors that are caused by the server's state as often as by the data: "too many parts" and "too many
# partitions in one block" share a code, memory may be short for this batch or for all, and the one constraint of our
# own table is on the time that an insert takes. They are retried, and treated as a refusal if they persist.
_DOUBTFUL_CODES: Final = frozenset(
    {
        241,  # MEMORY_LIMIT_EXCEEDED
        252,  # TOO_MANY_PARTS
        469,  # VIOLATED_CONSTRAINT
    }
)
_DOUBTFUL_ATTEMPTS: Final = 8

_TABLE_MISSING_CODES: Final = frozenset(
    {
        60,  # UNKNOWN_TABLE
        81,  # UNKNOWN_DATABASE
    }
)

# The server gave up on a request that it may have carried out.
_UNKNOWN_OUTCOME_CODES: Final = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        216,  # QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: a proxy has sent it twice
        236,  # ABORTED
        279,  # ALL_CONNECTION_TRIES_FAILED
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        999,  # KEEPER_EXCEPTION
    }
)


def connect(settings: ClickHouseSettings, *, timeout_secs: float) -> Client:
    """A client with its own connection pool; one thread at a time.

    Raises:
        TryAgainLater: ClickHouse does not answer, or refuses the login.
    """
    scheme, host, port = address_of(settings)
    with translated_errors(f"reach ClickHouse at {settings.url}"):
        return clickhouse_connect.get_client(
            host=host,
            port=port,
            interface=scheme,
            username=settings.user,
            password=settings.password.get_secret_value(),
            ca_cert=str(settings.ca_file) if settings.ca_file else None,
            verify=settings.tls_verify,
            connect_timeout=CONNECT_SECS,
            send_receive_timeout=timeout_secs,
            query_retries=0,
            # A session would refuse a second query while the first is running.
            autogenerate_session_id=False,
        )


def address_of(settings: ClickHouseSettings) -> tuple[str, str, int]:
    """Scheme, host and port of ClickHouse; the port is that of the scheme if the URL has none."""
    url = urlsplit(settings.url)
    return url.scheme, url.hostname or "", url.port or (8443 if url.scheme == "https" else 8123)


def is_on_this_machine(settings: ClickHouseSettings) -> bool:
    """Whether the address of ClickHouse is one of this machine itself, so that nothing goes over a network."""
    _, host, _ = address_of(settings)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def literal(text: str) -> str:
    """The text as SQL has it, for statements that take no parameters."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@contextmanager
def translated_errors(doing: str) -> Iterator[None]:
    """Translate ClickHouse's errors into ours, by their number; `doing` says what was tried, such as "insert 5 rows".

    Raises:
        Refused: ClickHouse has checked the data and does not accept it.
        TableMissing: there is no such table or database.
        TryAgainLater: anything else.
    """
    try:
        yield
    except Error as error:
        raise _translated(error, doing) from error
    except (ClickHouseError, HTTPError, HTTPException, OSError) as error:
        reason = f"cannot {doing}: {_cause(error)}"
        raise TryAgainLater(reason, code="unreachable", is_outcome_unknown=True) from error


def _translated(error: Error, doing: str) -> Refused | TryAgainLater:
    code = error.code
    if code is None:  # it came from the connection, not from the server
        return TryAgainLater(f"cannot {doing}: {_cause(error)}", code="unreachable", is_outcome_unknown=True)
    reason = f"cannot {doing}: error {code} {error.name or ''}: {_first_line(error)}"
    if code in _REFUSED_CODES:
        return Refused(reason, code=str(code))
    if code in _TABLE_MISSING_CODES:
        return TableMissing(reason, code=str(code))
    return TryAgainLater(
        reason,
        code=str(code),
        is_outcome_unknown=code in _UNKNOWN_OUTCOME_CODES,
        max_attempts=_DOUBTFUL_ATTEMPTS if code in _DOUBTFUL_CODES else None,
    )


def _cause(error: BaseException) -> str:
    """The innermost reason, such as "Connection refused", without pools, retries and query ids."""
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    system_words = error.strerror if isinstance(error, OSError) else None
    return system_words or _first_line(error) or error.__class__.__name__


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:300]

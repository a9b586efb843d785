"""A connection for statements that read, whose result is a few rows: these take more time to ask for than to read.

clickhouse-connect reads columns, of results of any size: for a hundred rows it takes three times the CPU of what is
here, JSON over a connection of our own, and with it a tenth of a small query.
"""

import ssl
import weakref
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from clickhouse_connect.driver.binding import format_bind_value
from clickhouse_connect.driver.exceptions import DatabaseError, error_code_from_header, error_name_from_body
from clickhouse_connect.driver.httputil import check_env_proxy

from app.backends.clickhouse.client import CONNECT_SECS, address_of
from app.backends.clickhouse.post_connection import PostConnection, Response
from app.domain.statement import Cost, Result
from app.settings import ClickHouseSettings

_FORMAT: Final = {
    "default_format": "JSONCompact",
    # ClickHouse sends nothing before the result is complete, so an error has its code and never follows half a result.
    "wait_end_of_query": "1",
    # A larger result goes through a file on its disk; without this, each would.
    "buffer_size": str(8 * 1024 * 1024),
    "output_format_json_quote_64bit_integers": "0",
}
_EXCEPTION_CODE: Final = b"x-clickhouse-exception-code"


class SelectConnection:
    """One connection, kept open between statements; one thread at a time."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        """Does not connect yet; the first statement does."""
        self._connection, self._path = _opened(settings)
        weakref.finalize(self, self._connection.close)

    def run(
        self, sql: str, parameters: Mapping[str, object], settings: Mapping[str, object], *, read_secs: float
    ) -> Result:
        """The result of one statement. ClickHouse may be silent for `read_secs`.

        Raises:
            clickhouse_connect.driver.exceptions.DatabaseError: ClickHouse returns an error, or what is no result.
            OSError, http.client.HTTPException: it does not answer.
        """
        bound = {f"param_{name}": format_bind_value(value) for name, value in parameters.items()}
        return _result(self._body(sql, {**bound, **settings}, read_secs))

    def tell(self, sql: str, *, read_secs: float) -> None:
        """Run a statement whose result does not matter, and may be none.

        Raises:
            clickhouse_connect.driver.exceptions.DatabaseError, OSError, http.client.HTTPException: as `run`.
        """
        self._body(sql, {}, read_secs)

    def _body(self, sql: str, settings: Mapping[str, object], read_secs: float) -> bytes:
        target = f"{self._path}?{urlencode({**_FORMAT, **settings})}"
        response = self._response(target, sql.encode(), read_secs)
        if response.status != HTTPStatus.OK or _EXCEPTION_CODE in response.headers:
            raise _error(response)
        return response.body

    def _response(self, target: str, body: bytes, read_secs: float) -> Response:
        is_kept = self._connection.is_open
        try:
            return self._connection.post(target, body, read_secs=read_secs)
        except ConnectionError:
            if not is_kept:
                raise
        return self._connection.post(target, body, read_secs=read_secs)  # it was closed while it was idle


def _opened(settings: ClickHouseSettings) -> tuple[PostConnection, str]:
    """A connection that connects when it is used, through the proxy of the environment if there is one; and a path."""
    scheme, host, port = address_of(settings)
    login = f"{settings.user}:{settings.password.get_secret_value()}".encode()
    headers = {
        "Host": f"{_name_of(host)}:{port}",
        "Authorization": f"Basic {b64encode(login).decode()}",
    }
    proxy = check_env_proxy(scheme, host, port)  # as clickhouse-connect decides it for the writer
    if proxy is None:
        return PostConnection(_made(settings, host, port), headers), "/"
    through = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    proxy_port = through.port or (443 if through.scheme == "https" else 80)
    connection = _made(settings, through.hostname or "", proxy_port)
    if scheme == "https":
        connection.set_tunnel(host, port)
        return PostConnection(connection, headers), "/"
    return PostConnection(connection, headers), f"{scheme}://{_name_of(host)}:{port}/"


def _name_of(host: str) -> str:
    """The host as a header has it."""
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else host.encode("idna").decode()


def _made(settings: ClickHouseSettings, host: str, port: int) -> HTTPConnection:
    if not settings.url.startswith("https:"):
        return HTTPConnection(host, port, timeout=CONNECT_SECS)
    trust = ssl.create_default_context(cafile=settings.ca_file)
    if not settings.tls_verify:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=CONNECT_SECS, context=trust)


def _error(response: Response) -> DatabaseError:
    text = response.body.decode(errors="backslashreplace").strip() or f"HTTP status {response.status}"
    code = response.headers.get(_EXCEPTION_CODE, b"").decode("latin-1") or None
    return DatabaseError(text, code=error_code_from_header(code), name=error_name_from_body(text))


def _result(body: bytes) -> Result:
    try:
        found: dict[str, Any] = _parsed(body)
        read = found["statistics"]
        return Result(
            [column["name"] for column in found["meta"]],
            [tuple(row) for row in found["data"]],
            Cost(read["rows_read"], read["bytes_read"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DatabaseError(f"no result, but {body[:200]!r}") from error


def _parsed(body: bytes) -> Any:
    """JSON as an object. It is parsed where it lies: one character such as 😀 makes a text four times as large."""
    try:
        return msgspec.json.decode(body)
    except UnicodeDecodeError:  # some columns can hold bytes that are no text
        return msgspec.json.decode(body.decode(errors="replace").encode())

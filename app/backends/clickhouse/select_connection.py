"""A connection for statements that read, whose result is a few rows: these take more time to ask for than to read.

clickhouse-connect reads columns, of results of any size: for a hundred rows it takes three times the CPU of what is
here, JSON over a connection of the standard library, and with it a tenth of a small query.
"""

import json
import ssl
import weakref
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from clickhouse_connect.driver.binding import format_bind_value
from clickhouse_connect.driver.exceptions import DatabaseError, error_code_from_header, error_name_from_body

from app.backends.clickhouse.client import CONNECT_SECS, address_of
from app.domain.statement import Cost, Result
from app.settings import ClickHouseSettings

_FORMAT: Final = {
    "default_format": "JSONCompact",
    # ClickHouse sends nothing before the result is complete, so an error has its code and never follows half a result.
    "wait_end_of_query": "1",
    "output_format_json_quote_64bit_integers": "0",
}


class _Response(NamedTuple):
    status: int
    code: str | None
    """The number of ClickHouse's error."""
    body: bytes


class SelectConnection:
    """One connection, kept open between statements; one thread at a time."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        """Does not connect yet; the first statement does."""
        login = f"{settings.user}:{settings.password.get_secret_value()}".encode()
        self._headers = {"Authorization": f"Basic {b64encode(login).decode()}"}
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
        response = self._response(f"{self._path}?{urlencode({**_FORMAT, **bound, **settings})}", sql, read_secs)
        if response.status != HTTPStatus.OK or response.code is not None:
            raise _error(response)
        return _result(response.body)

    def _response(self, target: str, sql: str, read_secs: float) -> _Response:
        is_kept = self._connection.sock is not None
        try:
            return self._exchange(target, sql, read_secs)
        except ConnectionError:
            if not is_kept:
                raise
        return self._exchange(target, sql, read_secs)  # it was closed while it was idle

    def _exchange(self, target: str, sql: str, read_secs: float) -> _Response:
        connection = self._connection
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(read_secs)
            connection.request("POST", target, sql.encode(), self._headers)
            response = connection.getresponse()
            return _Response(response.status, response.headers["X-ClickHouse-Exception-Code"], response.read())
        except BaseException:
            connection.close()
            raise


def _opened(settings: ClickHouseSettings) -> tuple[HTTPConnection, str]:
    """A connection that connects when it is used, through the proxy of the environment if there is one; and a path."""
    scheme, host, port = address_of(settings)
    proxy = None if proxy_bypass(host) else getproxies_environment().get(scheme)
    if proxy is None:
        return _made(settings, host, port), "/"
    through = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    connection = _made(settings, through.hostname or "", through.port or 8080)
    if scheme == "https":
        connection.set_tunnel(host, port)
        return connection, "/"
    return connection, f"{settings.url}/"


def _made(settings: ClickHouseSettings, host: str, port: int) -> HTTPConnection:
    if not settings.url.startswith("https:"):
        return HTTPConnection(host, port, timeout=CONNECT_SECS)
    trust = ssl.create_default_context(cafile=settings.ca_file)
    if not settings.tls_verify:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=CONNECT_SECS, context=trust)


def _error(response: _Response) -> DatabaseError:
    text = response.body.decode(errors="backslashreplace").strip() or f"HTTP status {response.status}"
    return DatabaseError(text, code=error_code_from_header(response.code), name=error_name_from_body(text))


def _result(body: bytes) -> Result:
    """The result in a body; it is empty where ClickHouse has nothing to tell, such as that there is nothing to kill."""
    if not body:
        return Result((), ())
    try:
        # Some columns can hold bytes that are no text.
        found: dict[str, Any] = json.loads(body.decode(errors="replace"))
        read = found["statistics"]
        return Result(
            [column["name"] for column in found["meta"]],
            [tuple(row) for row in found["data"]],
            Cost(read["rows_read"], read["bytes_read"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DatabaseError(f"no result, but {body[:200]!r}") from error

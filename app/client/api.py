"""A client of the service's HTTP API."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import SplitResult, quote, urlencode, urlsplit

_PREFIX: Final = "/api/v1"
_WAIT_SECS: Final = 300.0  # longer than any query may take
_STREAM_WAIT_SECS: Final = 60.0  # a stream without logs sends something every 15 seconds
_MAX_LINE_BYTES: Final = 64 * 1024 * 1024


class Unreachable(Exception):
    """The service cannot be reached at its URL, or something else answers there."""


class ApiError(Exception):
    """The service refuses a request, or failed to answer it. `details` is the error as the API describes it."""

    def __init__(self, status: int, details: Mapping[str, Any]) -> None:
        super().__init__(str(details.get("message", "")))
        self.status = status
        self.details = details

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status == 429 or self.status >= 500


class Queries(Protocol):
    """What the commands need of the API."""

    def get(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a request; parameters that are None or empty are left out.

        Raises:
            Unreachable, ApiError
        """

    def stream(self, path: str, parameters: Mapping[str, Any], last_id: str) -> Iterator[bytes]:
        """The lines of a stream, which continues after the event `last_id`. It ends when the service ends it.

        Raises:
            Unreachable, ApiError
        """


class Api:
    """The API of the service at a URL. Each request has a connection of its own."""

    def __init__(self, url: str, token: str = "") -> None:
        """Every request has the token, unless it is "".

        Raises:
            ValueError: this is no URL of HTTP.
        """
        # A proxy in front of the service, such as Google's, may need Authorization for itself.
        self._credentials = {"X-Api-Key": token} if token else {}
        self.url = url if "://" in url else f"http://{url}"
        self._parts = _split(self.url)

    def get(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        response = self._open(path, parameters, {"Accept": "application/json"}, _WAIT_SECS)
        try:
            return self._read(response)
        finally:
            response.close()

    def post(self, path: str, parameters: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        """The response to a request with a body, whose type is left to the service.

        Raises:
            Unreachable, ApiError
        """
        response = self._open(path, parameters, {"Accept": "application/json"}, _WAIT_SECS, body)
        try:
            return self._read(response)
        finally:
            response.close()

    def stream(self, path: str, parameters: Mapping[str, Any], last_id: str) -> Iterator[bytes]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        response = self._open(path, parameters, headers, _STREAM_WAIT_SECS)
        try:
            while line := response.readline(_MAX_LINE_BYTES):
                yield line
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            response.close()

    def _open(
        self,
        path: str,
        parameters: Mapping[str, Any],
        headers: Mapping[str, str],
        wait_secs: float,
        body: bytes | None = None,
    ) -> HTTPResponse:
        given = {name: value for name, value in parameters.items() if value not in (None, "")}
        target = f"{self._parts.path.rstrip('/')}{_PREFIX}{path}" + (f"?{urlencode(given)}" if given else "")
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=wait_secs)
        try:
            given_headers = {**headers, **self._credentials, "Connection": "close"}
            connection.request("GET" if body is None else "POST", target, body, given_headers)
            response = connection.getresponse()
            if response.status != 200:
                with response:
                    raise self._refused(response)
        except (OSError, HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        return response

    def _read(self, response: HTTPResponse) -> dict[str, Any]:
        try:
            content = json.loads(response.read())
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise Unreachable(f"What answers at {self.url} is not this service.")
        return content

    def _refused(self, response: HTTPResponse) -> Exception:
        try:
            details = json.loads(response.read())["error"]
            return ApiError(response.status, {"message": f"HTTP {response.status}", **details})
        except (ValueError, KeyError, TypeError):
            where = response.getheader("Location")
            words = f" and leads to {where}" if where else ""
            return Unreachable(
                f"{self.url} answers HTTP {response.status} {response.reason}{words}, not as this service."
            )

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            reason = "no answer in time"
        return Unreachable(
            f"The service cannot be reached at {self.url}: {reason}. Name another with --url or LOG_ANALYTICS_URL."
        )


if TYPE_CHECKING:

    def _conformance(api: Api) -> Queries:
        return api


def path_of(*parts: str) -> str:
    """A path with each part quoted."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _split(url: str) -> SplitResult:
    refused = ValueError(f"{url} is not a URL such as http://localhost:8080")
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise refused from None
    if not is_http or parts.query or parts.fragment or parts.username:
        raise refused
    return parts

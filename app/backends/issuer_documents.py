"""Requests to an issuer of ID tokens over HTTPS: its documents (discovery, keys), and its token endpoint."""

import json
from collections.abc import Mapping
from typing import Any, Final

import requests

from app.access.discovery import is_trustworthy
from app.access.errors import IssuerUnavailable

_TIMEOUT_SECS: Final = 5.0
_MAX_BYTES: Final = 512 * 1024
_PIECE_BYTES: Final = 16 * 1024
_WITH_OBJECT: Final = (requests.codes.ok, requests.codes.bad_request, requests.codes.unauthorized)


def fetch_json(url: str) -> Mapping[str, Any]:
    """The JSON object at a URL. Follows no redirects, which could lead to any other host.

    Raises:
        IssuerUnavailable: with the reason.
    """
    status, document = _request("GET", url)
    if status != requests.codes.ok:
        raise IssuerUnavailable(f"{url} responded with status {status}.")
    return document


def post_form(url: str, form: Mapping[str, str], credentials: tuple[str, str] | None) -> tuple[int, Mapping[str, Any]]:
    """Sends a form, with credentials for basic authentication; returns the status and the JSON object.

    Statuses other than 200, 400 and 401, which RFC 6749 (section 5) defines, have no object.

    Raises:
        IssuerUnavailable: with the reason.
    """
    return _request("POST", url, data=form, auth=credentials)


def _request(method: str, url: str, **options: Any) -> tuple[int, Mapping[str, Any]]:
    if not is_trustworthy(url):
        raise IssuerUnavailable(f"{url} is not an HTTPS address, so it is not trusted.")
    try:
        with requests.request(
            method, url, timeout=_TIMEOUT_SECS, allow_redirects=False, stream=True, **options
        ) as response:
            if response.status_code not in _WITH_OBJECT:
                return response.status_code, {}
            document = json.loads(_body_of(response, url))
    except (requests.RequestException, OSError) as error:
        raise IssuerUnavailable(f"{url} cannot be reached ({type(error).__name__}).") from error
    except ValueError as error:
        raise IssuerUnavailable(f"{url} did not return JSON.") from error
    if not isinstance(document, dict):
        raise IssuerUnavailable(f"{url} did not return a JSON object.")
    return response.status_code, document


def _body_of(response: requests.Response, url: str) -> bytes:
    body = b""
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > _MAX_BYTES:
            raise IssuerUnavailable(f"{url} returned more than {_MAX_BYTES:,} bytes.")
    return body

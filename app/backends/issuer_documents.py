"""Fetches the documents of an issuer of ID tokens: discovery and keys, JSON over HTTPS."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from app.access.errors import IssuerUnavailable

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_SECS: Final = 5.0
_MAX_BYTES: Final = 512 * 1024
_PIECE_BYTES: Final = 16 * 1024


def _is_trustworthy(url: str) -> bool:
    """Whether nobody can change what this URL returns: HTTPS, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def fetch_json(url: str) -> Mapping[str, Any]:
    """The JSON object at a URL. Follows no redirects, which could lead to any other host.

    Raises:
        IssuerUnavailable: with the reason.
    """
    if not _is_trustworthy(url):
        raise IssuerUnavailable(f"{url} is not an HTTPS address, so its keys are not trusted.")
    try:
        with requests.get(url, timeout=_TIMEOUT_SECS, allow_redirects=False, stream=True) as response:
            if response.status_code != requests.codes.ok:
                raise IssuerUnavailable(f"{url} responded with status {response.status_code}.")
            document = json.loads(_body_of(response, url))
    except (requests.RequestException, OSError) as error:
        raise IssuerUnavailable(f"{url} cannot be reached ({type(error).__name__}).") from error
    except ValueError as error:
        raise IssuerUnavailable(f"{url} did not return JSON.") from error
    if not isinstance(document, dict):
        raise IssuerUnavailable(f"{url} did not return a JSON object.")
    return document


def _body_of(response: requests.Response, url: str) -> bytes:
    body = b""
    for piece in response.iter_content(_PIECE_BYTES):
        body += piece
        if len(body) > _MAX_BYTES:
            raise IssuerUnavailable(f"{url} returned more than {_MAX_BYTES:,} bytes.")
    return body

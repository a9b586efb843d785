"""The secrets that a request carries, in every header in which common clients can send one. None is read from a URL,
because URLs are logged by proxies and kept by browsers.

    Authorization: Bearer SECRET            RFC 6750
    Authorization: Basic base64(ANY:SECRET) RFC 7617
    Authorization: ApiKey SECRET            and ApiKey base64(ID:SECRET), Elasticsearch's
    Authorization: Splunk SECRET            Splunk's HTTP event collector
    X-Api-Key: SECRET                       many
    DD-API-KEY: SECRET                      Datadog's agent
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from werkzeug.datastructures import Headers

_KEY_HEADERS: Final = ("X-Api-Key", "DD-API-KEY")


def secrets_in(headers: Headers) -> Iterator[str]:
    """The secrets, which nobody has checked. A request may have several: a proxy can need Authorization for itself."""
    scheme, _, value = headers.get("Authorization", "").strip().partition(" ")
    if read := _SCHEMES.get(scheme.lower()):
        yield from read(value.strip())
    yield from (value.strip() for name in _KEY_HEADERS if (value := headers.get(name, "")))


def _itself(value: str) -> Iterator[str]:
    yield value


def _behind_colon(value: str) -> Iterator[str]:
    """The text behind the first colon of what is base64."""
    try:
        _, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return
    if colon:
        yield secret


def _either(value: str) -> Iterator[str]:
    yield value
    yield from _behind_colon(value)


_SCHEMES: Final[Mapping[str, Callable[[str], Iterator[str]]]] = {
    "bearer": _itself,
    "basic": _behind_colon,
    "apikey": _either,
    "splunk": _itself,
}

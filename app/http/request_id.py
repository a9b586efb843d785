"""The id of a request: in the response, in the sentence of an error, and in the service's log."""

import secrets
from collections.abc import MutableMapping
from typing import Any, Final

HEADER: Final = "X-Request-Id"

_KEY: Final = "app.request_id"
_BYTES: Final = 8


def new_request_id() -> str:
    """A random id. Ids that clients send are not taken over: two requests could have the same."""
    return secrets.token_hex(_BYTES)


def set_id(environ: MutableMapping[str, Any], request_id: str) -> None:
    """Hand the id of a request to the application that responds to it."""
    environ[_KEY] = request_id


def give_id(environ: MutableMapping[str, Any]) -> str:
    """The id of the request with this WSGI environ; a new one if its server has given none."""
    request_id: str = environ.setdefault(_KEY, new_request_id())
    return request_id

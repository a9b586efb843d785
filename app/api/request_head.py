"""The part of a request that is known before its body is read."""

from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Method, path and headers, and the address of the client (empty if it is unknown)."""

    method: str
    path: str
    headers: Headers
    peer: str

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters such as the charset; empty if not given."""
        return parse_options_header(self.headers.get("Content-Type"))[0].lower()


def current_head() -> RequestHead:
    """The head of the request that Flask is serving."""
    return RequestHead(request.method, request.path, request.headers, request.remote_addr or "")

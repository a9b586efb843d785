"""The part of a request that is known before its body is read."""

from flask import request
from msgspec import Struct
from werkzeug.datastructures import Headers
from werkzeug.http import parse_options_header

from app.http.request_id import give_id


class RequestHead(Struct, frozen=True):
    """Method, path and headers, the address of the client (empty if it is unknown), and the id of the request.

    Behind a trusted proxy, address and TLS are those of its client: see `app/http/proxies.py`.
    """

    method: str
    path: str
    headers: Headers
    peer: str
    request_id: str = ""
    is_secure: bool = False
    """Whether the client speaks TLS."""

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters such as the charset; empty if not given."""
        return parse_options_header(self.headers.get("Content-Type"))[0].lower()

    @property
    def charset(self) -> str:
        """The charset of the body, as its Content-Type names it; empty if it does not."""
        return parse_options_header(self.headers.get("Content-Type"))[1].get("charset", "").strip()


def current_head() -> RequestHead:
    """The head of the request that Flask is serving."""
    request_id = give_id(request.environ)
    return RequestHead(
        request.method, request.path, request.headers, request.remote_addr or "", request_id, request.is_secure
    )

"""An endpoint, described once. Its route, its required right and its part of the OpenAPI document come from this."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from flask import Response
from msgspec import Struct, field
from pydantic import BaseModel

from app.access.principal import Principal, Right
from app.api.admission import Slots
from app.api.authentication import Authenticator, client_of
from app.api.body import Body
from app.api.content import Content
from app.api.error_responses import JSON_ERRORS, ErrorShape
from app.api.request_head import RequestHead
from app.domain.cancellation import Cancellation

FORM: Final = "application/x-www-form-urlencoded"
"""How a POST sends parameters that are too long for a URL."""

_Parameters = TypeVar("_Parameters", bound=BaseModel)


def _ignore_rows(rows: int) -> None:
    """Do nothing."""


def _ignore_login(principal: Principal) -> None:
    """Do nothing."""


def _always() -> bool:
    return True


class Request(Generic[_Parameters], Struct, frozen=True):
    """The input of a handler. `body` is decompressed, and empty if the endpoint describes none."""

    head: RequestHead
    principal: Principal
    parameters: _Parameters
    body: bytes = b""
    cancellation: Cancellation = field(default_factory=Cancellation)
    """Cancelled when the client disconnects."""
    count_rows: Callable[[int], None] = _ignore_rows
    """Takes the number of rows that are put into the response, for the log of access."""
    is_still_allowed: Callable[[], bool] = _always
    """Whether the credentials would be accepted now too: a stream may outlive them."""
    is_login_of: Callable[[Principal], None] = _ignore_login
    """Takes the principal whose token a browser has logged in with, or tried to, for the log of access."""
    began_at: float = field(default_factory=time.monotonic)
    """When a thread began to work on it, by `time.monotonic`: before it waited for a slot."""

    @property
    def client(self) -> str:
        """Whose share of the slots it takes."""
        return client_of(self.principal, self.head)


class Success(Struct, frozen=True):
    """The response on success."""

    description: str = ""
    content: Content = field(default_factory=dict)
    status: int = 200

    @classmethod
    def of_json(cls, model: type[BaseModel]) -> "Success":
        """JSON of a model, whose docstring is the description."""
        return cls(model.__doc__ or "", {"application/json": model})


def _ignore(name: str, status: int, secs: float) -> None:
    """Do nothing."""


class Endpoint(Generic[_Parameters], Struct, frozen=True, kw_only=True):
    """One path with one or more methods. Endpoints that share a path differ in their methods.

    `path` is a URI template: `{id}` is one segment, `{+name}` may hold slashes.
    """

    path: str
    prefix: str = ""
    """Precedes the path, and is not part of the name."""
    methods: tuple[str, ...] = ("GET",)
    summary: str = ""
    tags: tuple[str, ...] = ()
    operation_id: str = ""
    """The name, if the one made from the path does not fit."""

    parameters: type[_Parameters]
    """The parameters of the query string and the path."""
    body: Body | None = None
    handle: Callable[[Request[_Parameters]], BaseModel | Response | None]
    """Returns a model, which is sent as JSON; None, for a response without a body; or a Flask response."""
    success: Success = Success()
    problems: Mapping[int, str] = field(default_factory=dict)
    """Error statuses with descriptions, for the OpenAPI document."""
    errors: ErrorShape = JSON_ERRORS
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every response, errors included."""

    takes_slash: bool = False
    """Whether a `/` behind the path makes no difference."""

    right: Right
    """The right that the caller must have. It has no default, so that no endpoint is open by accident."""
    authenticator: Authenticator | None = None
    """Used instead of the application's authenticator."""
    slots: tuple[Slots, ...] = ()
    """Held while the body is read and the response is made; the first is taken first."""
    on_response: Callable[[str, int, float], None] = _ignore
    """Called with the name, the status, and the seconds until the response begins."""

    @property
    def name(self) -> str:
        """The name in metrics and the operation id: the words of the path, after the method if that is not GET."""
        return self.operation_id or self.name_of(self.methods[0])

    def name_of(self, method: str) -> str:
        """The operation id of one of several methods."""
        words = re.findall(r"[^\W_]\w*", self.path)
        return "_".join(words if method == "GET" else [method.lower(), *words])

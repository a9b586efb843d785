"""The log of access: one line for each request, written when its response has ended, streams included.

It says who sent which query and how that ended, never what the logs contain. It is part of the service's own log.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from flask import Response, g
from msgspec import Struct, field
from pydantic import BaseModel
from werkzeug.wsgi import ClosingIterator

from app.access.principal import Principal, Right
from app.api.request_head import RequestHead, current_head
from app.http.line_budget import LineBudget
from app.http.request_id import HEADER
from app.logging_setup import ACCESS
from app.settings import AccessSettings

_log = logging.getLogger(ACCESS)

_QUERY_CHARS, _TEXT_CHARS = 1_000, 200
_UNSAID: Final = frozenset({"cursor", "last_id"})  # long, and of no meaning to people
_CANCELLED: Final = 499


class Access(Struct):
    """What is known of a request for the log, while its response is made and sent."""

    head: RequestHead
    began_at: float
    operation: str = ""
    right: Right | None = None
    """The right that the operation requires; None if there is no such operation."""
    principal: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    """The sentence of the error, if there is one."""
    status: int = 0
    rows: int = 0
    sent_bytes: int = 0
    has_ended: bool = True
    """False while the pieces of a stream are not all made."""
    is_login: bool = False
    """Whether a browser has logged in."""

    def count_rows(self, rows: int) -> None:
        """So many more rows are in the response."""
        self.rows += rows

    def is_for(self, operation: str, right: Right) -> None:
        """The operation that was requested."""
        self.operation, self.right = operation, right

    def is_by(self, principal: Principal) -> None:
        """The sender, as authenticated."""
        self.principal = principal.name

    def is_login_of(self, principal: Principal) -> None:
        """A browser has logged in, with the token of this principal."""
        self.is_by(principal)
        self.is_login = True

    def asks_for(self, parameters: BaseModel) -> None:
        """The parameters, as checked. Those of operations for everybody, such as a login, may be secret."""
        if self.right is not Right.NONE:
            given = parameters.model_dump(mode="json", exclude_unset=True, exclude_none=True)
            self.parameters = {name: _bounded(name, value) for name, value in given.items() if name not in _UNSAID}

    def fails_with(self, reason: str) -> None:
        """The sentence of the error, which may repeat a parameter."""
        if self.right is not Right.NONE:
            self.reason = _bounded("reason", reason)

    @property
    def has_failed(self) -> bool:
        """Whether it is an error that the log should have. Probes fail all the time while the service starts."""
        is_error = self.status >= 400 and self.status != _CANCELLED
        return is_error and (self.right is not Right.NONE or self.status < 500)

    @property
    def is_refused(self) -> bool:
        """Whether the request is at fault, or the client's share is used up."""
        return 400 <= self.status < 500 and self.status != _CANCELLED

    def fields(self, now: float) -> dict[str, object]:
        """The fields of its line."""
        forwarded = self.head.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return {
            "request_id": self.head.request_id,
            "principal": self.principal or "-",
            "address": self.head.peer,
            **({"forwarded_for": forwarded[:_TEXT_CHARS]} if forwarded not in ("", self.head.peer) else {}),
            "method": self.head.method[:_TEXT_CHARS],
            **({"operation": self.operation} if self.operation else {"path": self.head.path[:_TEXT_CHARS]}),
            **self.parameters,
            "status": self.status,
            "refused": self.is_refused,
            **({"reason": self.reason} if self.reason else {}),
            "rows": self.rows,
            "bytes": self.sent_bytes,
            "secs": round(now - self.began_at, 3),
            **({} if self.has_ended else {"interrupted": True}),
        }


class AccessLog:
    """Logs the requests of an application. `chance` is a random number from 0 to 1 for each."""

    def __init__(
        self,
        settings: AccessSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._refusals = LineBudget(clock)

    def begin(self) -> None:
        """A request has come, and nothing was checked yet."""
        g.access = Access(current_head(), self._clock())

    def answered(self, response: Response) -> Response:
        """The response, with the id of its request; it is logged when it has been sent."""
        access = current_access()
        access.status = response.status_code
        response.headers[HEADER] = access.head.request_id
        if self._settings.log != "off":
            _count_bytes(response, access)
            response.call_on_close(partial(self._end, access))
        return response

    def _end(self, access: Access) -> None:
        if count := self._refusals.left_out():
            _log.info("Refused requests were not logged", extra={"fields": {"access": {"left_out": count}}})
        if self._is_logged(access):
            _log.info("Access", extra={"fields": {"access": access.fields(self._clock())}})

    def _is_logged(self, access: Access) -> bool:
        if access.is_refused:
            return self._refusals.grants(access.head.peer)
        if access.has_failed or (access.is_login and self._settings.share):
            return True
        is_ordinary = access.right is not None and access.right is not Right.NONE
        return is_ordinary and self._chance() < self._settings.share


def current_access() -> Access:
    """What the log says about the request that Flask is serving; it says nothing without an `AccessLog`."""
    if "access" not in g:
        g.access = Access(current_head(), 0.0)
    access: Access = g.access
    return access


def _count_bytes(response: Response, access: Access) -> None:
    if access.head.method == "HEAD" or response.direct_passthrough:  # no body, or a file of ours
        return
    if response.is_sequence:
        access.sent_bytes = sum(map(len, response.iter_encoded()))
        return
    access.has_ended = False
    close = getattr(response.response, "close", None)
    response.response = ClosingIterator(_counted(response.iter_encoded(), access), close)


def _counted(pieces: Iterable[bytes], access: Access) -> Iterator[bytes]:
    for piece in pieces:
        access.sent_bytes += len(piece)
        yield piece
    access.has_ended = True


def _bounded(name: str, value: Any) -> Any:
    return value[: _QUERY_CHARS if name == "query" else _TEXT_CHARS] if isinstance(value, str) else value

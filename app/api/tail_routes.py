"""/api/v1/logs/tail: logs as they are stored, as server-sent events."""

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response

from app.access.principal import Right
from app.api.admission import StreamSlots
from app.api.credential_check import CredentialCheck
from app.api.endpoint import Endpoint, Request, Success
from app.api.parameters import TailParameters
from app.api.problems import problem_of
from app.errors import Abandoned, QueryTooExpensive, Refused, TryAgainLater
from app.http.pause import Pause
from app.query.language import parse
from app.query.service import QueryService, names_in
from app.query.tail import Tail

_POLL_EVERY_SECS: Final = 0.5
_PAUSE_SHARE: Final = 3.0  # how much longer a pause is than the poll before it
_SPREAD: Final = 0.2  # of a pause, to both sides
_PIECE_CHARS: Final = 65_536
_RETRY_AFTER_SECS: Final = 5.0  # after a query of ClickHouse failed
_HEARTBEAT_SECS: Final = 15.0  # proxies close connections that are idle for longer
_RETRY_MS: Final = 2_000
_EVENTS: Final = Success(
    "Server-sent events, one for each log as it is stored; `id` is the resume token to continue after a disconnect.",
    {"text/event-stream": None},
)


class TailApi:
    """Streams logs to clients that hold a slot."""

    def __init__(
        self,
        queries: QueryService,
        slots: StreamSlots,
        *,
        is_stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`chance` is a random number from 0 to 1 for each pause."""
        self._queries = queries
        self._slots = slots
        self._is_stopping = is_stopping
        self._clock = clock
        self._chance = chance

    def endpoint(self) -> Endpoint[TailParameters]:
        """`GET /logs/tail`."""
        return Endpoint(
            path="/logs/tail",
            right=Right.READ,
            summary="Logs as they are stored (server-sent events)",
            tags=("logs",),
            parameters=TailParameters,
            handle=self.tail,
            success=_EVENTS,
            slots=(self._slots,),
        )

    def tail(self, request: Request[TailParameters]) -> Response:
        """A response that streams until the client disconnects, its token ends, or the service stops."""
        parameters = request.parameters
        last_id = request.head.headers.get("Last-Event-ID") or parameters.last_id
        queries = self._queries.within(request.principal.scope).until(request.cancellation)
        tail = queries.tail(parse(parameters.query).tree, fields=names_in(parameters.fields), last_id=last_id)
        response = Response(self._events(tail, request), content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
        return response

    def _events(self, tail: Tail, request: Request[TailParameters]) -> Iterator[bytes]:
        yield f"retry: {_RETRY_MS}\n".encode() + _event(tail.resume_token, "ready", "{}")
        sent_at, check = self._clock(), CredentialCheck(request.is_still_allowed, self._clock)
        is_trouble_sent = False
        while not self._is_stopping():
            if check.fails():
                return  # the client connects again, and is told why not
            began_at = self._clock()
            try:
                for piece in _pieces(tail, request.count_rows):
                    sent_at = self._clock()
                    yield piece
                if is_trouble_sent:
                    yield _event(tail.resume_token, "ready", "{}")
                is_trouble_sent = False
            except Abandoned:
                return
            except (TryAgainLater, QueryTooExpensive, Refused) as error:
                if not is_trouble_sent:
                    sent_at = self._clock()
                    yield _event("", "trouble", json.dumps({"message": problem_of(error).message}))
                is_trouble_sent = True
            if self._clock() - sent_at >= _HEARTBEAT_SECS:
                # With the resume token, so that a client of rare logs does not resume from long ago.
                sent_at = self._clock()
                yield f"id: {tail.resume_token}\n: heartbeat\n\n".encode()
            if is_trouble_sent or not tail.is_behind:
                poll_secs = self._clock() - began_at
                yield Pause(_RETRY_AFTER_SECS if is_trouble_sent else self._pause_secs(poll_secs))

    def _pause_secs(self, poll_secs: float) -> float:
        """How long to wait after a poll. When many tails make polls slow, they come less often: ingestion is first."""
        wait_secs = min(max(_POLL_EVERY_SECS, _PAUSE_SHARE * poll_secs), _RETRY_AFTER_SECS)
        return wait_secs * (1 + _SPREAD * (2 * self._chance() - 1))  # tails that share a read would come all at once


def _pieces(tail: Tail, count_rows: Callable[[int], None]) -> Iterator[bytes]:
    """The events of one poll, in few pieces: each costs a turn of a thread. Those before an error are sent too."""
    events, chars, error = list[str](), 0, None
    try:
        for row in tail.poll():
            events.append(f"id: {row.resume_token}\ndata: {row.json}\n\n")
            chars += len(events[-1])
            if chars >= _PIECE_CHARS:
                count_rows(len(events))
                yield "".join(events).encode()
                events, chars = [], 0
    except (Abandoned, TryAgainLater, QueryTooExpensive, Refused) as failed:
        error = failed
    if events:
        count_rows(len(events))
        yield "".join(events).encode()
    if error is not None:
        raise error


def _event(event_id: str, name: str, data: str) -> bytes:
    lines = [f"id: {event_id}\n" if event_id else "", f"event: {name}\n" if name else "", f"data: {data}\n\n"]
    return "".join(lines).encode()

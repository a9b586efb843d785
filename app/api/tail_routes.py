"""/api/v1/logs/tail: logs as they are stored, as server-sent events."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response, request
from prometheus_client import Gauge

from app.api.admission import TooBusy
from app.api.answers import TailAnswer
from app.api.endpoint import Endpoint
from app.api.parameters import TailParameters
from app.errors import TryAgainLater
from app.query.questions import Questions
from app.query.tail import Tail

_LOOK_EVERY_SECS: Final = 0.5
_HEARTBEAT_SECS: Final = 15.0  # proxies end connections on which nothing is said for longer
_RETRY_MS: Final = 2_000
_RETRY_AFTER_SECS: Final = 10


class TailApi:
    """Streams to so many readers and no more: each takes one of the server's threads."""

    def __init__(
        self,
        questions: Questions,
        *,
        max_tails: int,
        running: Gauge,
        is_stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._questions = questions
        self._places = threading.BoundedSemaphore(max_tails)
        self._running = running
        self._is_stopping = is_stopping
        self._clock = clock
        self._sleep = sleep

    def endpoint(self) -> Endpoint[TailParameters]:
        """`GET /logs/tail`."""
        return Endpoint(
            "/logs/tail",
            "Logs as they are stored (server-sent events)",
            TailParameters,
            TailAnswer,
            self.tail,
            ("text/event-stream",),
        )

    def tail(self, asked: TailParameters) -> Response:
        """An answer that goes on until the reader leaves or the service stops."""
        if not self._places.acquire(blocking=False):
            raise TooBusy(_RETRY_AFTER_SECS)
        self._running.inc()
        try:
            after = request.headers.get("Last-Event-ID", asked.after)
            tail = self._questions.tail(asked.query, fields=asked.fields, after=after)
        except BaseException:
            self._leave()
            raise
        response = Response(self._events(tail), content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
        response.call_on_close(self._leave)
        return response

    def _leave(self) -> None:
        self._running.dec()
        self._places.release()

    def _events(self, tail: Tail) -> Iterator[str]:
        yield f"retry: {_RETRY_MS}\nid: {tail.places}\nevent: ready\ndata: {{}}\n\n"
        said_at = self._clock()
        while not self._is_stopping():
            events = self._look(tail)
            if not events and self._clock() - said_at >= _HEARTBEAT_SECS:
                events = ": heartbeat\n\n"
            if events:
                said_at = self._clock()
                yield events
            self._sleep(_LOOK_EVERY_SECS)

    def _look(self, tail: Tail) -> str:
        try:
            return "".join(
                f"id: {stored.places}\ndata: {json.dumps(stored.row.as_object(), ensure_ascii=False)}\n\n"
                for stored in tail.look()
            )
        except TryAgainLater as error:
            return f"event: trouble\ndata: {json.dumps({'message': str(error)})}\n\n"

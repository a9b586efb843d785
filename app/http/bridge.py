"""A WSGI application as an ASGI one (PEP 3333 and the ASGI specification, version 3).

A thread is taken for the application only when the body of a request is complete, and given back as soon as the
response is: the event loop sends it as fast as the client reads. A stream takes a thread for one piece at a time, and
none while it pauses (`Pause`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from io import BytesIO
from itertools import chain
from typing import Any, Final
from wsgiref.types import WSGIApplication

from msgspec import Struct

from app.http.body import Bodies, BodyRefused, ClientGone, Receive
from app.http.broken_off import BrokenOff
from app.http.compression import compressed
from app.http.environ import environ_of
from app.http.lane import Lane
from app.http.limits import Limits
from app.http.line_budget import LineBudget
from app.http.pause import Pause
from app.http.proxies import TrustedProxies
from app.http.refusal import refusal
from app.http.request_id import new_request_id, set_id
from app.http.workers import Workers

_log = logging.getLogger(__name__)

ON_CLIENT_GONE: Final = "app.on_client_gone"
"""Key of the environ: a function that takes a call to make when the client disconnects before it has the response."""

Scope = MutableMapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_SLICE_BYTES: Final = 64 * 1024
_PROBE_THREADS: Final = 2


class _Response(Struct, frozen=True):
    """The head of a response, and its body: whole, or in pieces to come."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | Iterator[bytes]
    close: Callable[[], object] | None


class Bridge:
    """Serves an application with so many threads. Requests for `probes`, which are paths, have threads of their own,
    and so have those of a lane."""

    def __init__(
        self,
        application: WSGIApplication,
        threads: int,
        probes: Iterable[str],
        limits: Limits,
        proxies: TrustedProxies,
        lane: Lane | None = None,
    ) -> None:
        self._application = application
        self._workers = Workers(threads, "http")
        self._probe_workers = Workers(_PROBE_THREADS, "http-probe")
        self._gone_workers = Workers(1, "http-gone")
        self._lane = lane
        self._lane_workers = Workers(lane.threads if lane else 0, "http-lane")
        self._probes = frozenset(probes)
        self._bodies = Bodies(limits)
        self._proxies = proxies
        self._budget = LineBudget(time.monotonic)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the threads."""
        self._workers.start()
        self._probe_workers.start()
        self._lane_workers.start()
        self._gone_workers.start()

    def stop(self) -> None:
        """End the pauses of streams, so that they end. Thread-safe."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request. If a response fails or is interrupted half-way, its connection breaks."""
        self._loop = asyncio.get_running_loop()
        output = _Output(send, new_request_id())
        try:
            await self._respond(scope, receive, output)
        except ClientGone:
            pass
        except BodyRefused as refused:
            self._log_refused(output.request_id, self._environ(scope)["REMOTE_ADDR"], refused)
            rest = None if refused.is_slow else self._bodies.forget(receive)
            await output.refuse(refused.status, str(refused), refused.retry_after_secs, rest)
        except BrokenOff as reason:
            _log.info("The response to request %s was broken off: %s", output.request_id, reason)
        except asyncio.CancelledError:
            await output.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The service is stopping.")
        except Exception:
            _log.exception("The response to request %s, for %r, failed", output.request_id, scope["path"])
            await output.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the log of the service has details.")

    async def _respond(self, scope: Scope, receive: Receive, output: "_Output") -> None:
        environ = self._environ(scope)
        set_id(environ, output.request_id)
        client = _Client(self._gone_workers)
        environ[ON_CLIENT_GONE] = client.on_gone
        workers = self._workers_for(scope)
        watching: asyncio.Task[None] | None = None
        try:
            async with self._bodies.read(dict(scope["headers"]), receive, environ["REMOTE_ADDR"]) as body:
                watching = asyncio.create_task(client.watch(receive))
                response = await workers.run(partial(_call, self._application, environ, body))
                del body  # while a slow client reads the response, it takes no memory
            try:
                await self._send(response, workers, client, output)
            finally:
                if response.close is not None:
                    workers.submit(response.close)
        finally:
            client.leave()
            if watching is not None:
                watching.cancel()

    def _workers_for(self, scope: Scope) -> Workers:
        if scope["path"] in self._probes:
            return self._probe_workers
        is_in_lane = self._lane is not None and self._lane.takes(scope["method"], scope["path"])
        return self._lane_workers if is_in_lane else self._workers

    def _log_refused(self, request_id: str, address: str, refused: BodyRefused) -> None:
        if count := self._budget.left_out():
            _log.info("%d refused requests were not logged", count)
        if self._budget.grants(address):
            _log.info("Refused request %s from %s: %s", request_id, address or "-", refused)

    def _environ(self, scope: Scope) -> dict[str, Any]:
        environ = environ_of(scope)
        self._proxies.apply(environ)
        return environ

    async def _send(self, response: _Response, workers: Workers, client: "_Client", output: "_Output") -> None:
        await output.start(response.status, response.headers)
        pieces = response.body
        if isinstance(pieces, bytes):
            for start in range(0, len(pieces), _SLICE_BYTES):  # waits for a slow client between two slices
                await output.write(pieces[start : start + _SLICE_BYTES])
        else:
            while (piece := await workers.run(partial(next, pieces, None))) is not None:
                if isinstance(piece, Pause):
                    await client.wait_until_gone(piece.secs, self._stopping)
                elif piece:
                    await output.write(piece)
                if client.is_gone():
                    return
        await output.end()


class _Output:
    """The messages of a response."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self._send = send
        self._has_started = False

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._has_started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, body: bytes) -> None:
        """Returns when the client has taken so much that more may be sent."""
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(
        self, status: HTTPStatus, message: str, retry_after_secs: int = 0, meanwhile: Awaitable[None] | None = None
    ) -> None:
        """An error in the form of the API, unless a response has begun: then its end stays away.

        `meanwhile` is awaited before the connection is closed.
        """
        if self._has_started:
            return
        headers, body = refusal(status, message, self.request_id, retry_after_secs)
        await self.start(status, headers)
        await self.write(body)
        if meanwhile is not None:
            await meanwhile
        await self.end()


class _Client:
    """Whether the client of a request is still there."""

    def __init__(self, workers: Workers) -> None:
        """`workers` make the calls for a client that has gone."""
        self._workers = workers
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []
        self._gone = threading.Event()
        self._left = asyncio.Event()

    def is_gone(self) -> bool:
        """Thread-safe."""
        return self._gone.is_set()

    def on_gone(self, call: Callable[[], object]) -> None:
        """Make a call, on a thread of its own, if the client disconnects; at once if it has. Thread-safe."""
        with self._lock:
            if not self._gone.is_set():
                self._calls.append(call)
                return
        call()

    def leave(self) -> None:
        """The request has ended: what it has begun need not go on."""
        with self._lock:
            self._gone.set()
        self._left.set()

    async def watch(self, receive: Receive) -> None:
        """Wait until the client disconnects; the body is complete, so no other message comes."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()
        for call in self._calls:
            self._workers.submit(call)

    async def wait_until_gone(self, secs: float, stopping: asyncio.Event) -> None:
        """Wait until the client is gone or the server stops, but no longer than `secs`."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._left, stopping)]
        await asyncio.wait(waits, timeout=secs, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _call(application: WSGIApplication, environ: dict[str, Any], request_body: bytes) -> _Response:
    """Run the application. A body of known length is made here, so that the thread is free afterwards."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return _no_writer

    result = application({**environ, "wsgi.input": BytesIO(request_body)}, start_response)
    close = getattr(result, "close", None)
    try:
        pieces = iter(result)
        first = next(pieces, b"") if not started else b""  # a generator calls start_response with its first piece
        status, headers = started[0]
        head = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        is_whole = any(name == b"content-length" for name, _ in head)
        # Not a generator: it would close the pieces when it is discarded, and they are closed once already.
        body: bytes | Iterator[bytes] = first + b"".join(pieces) if is_whole else chain([first], pieces)
        number = int(status.split(" ", 1)[0])
        head, body = compressed(environ.get("HTTP_ACCEPT_ENCODING", ""), number, head, body)
    except BaseException:
        if close is not None:
            close()
        raise
    return _Response(number, head, body, close)


def _no_writer(_: bytes) -> object:
    raise NotImplementedError("the writer of start_response is for old applications")

"""The Flask application that every server serves, the consumer thread beside it, and a socket that reports on both."""

from __future__ import annotations

import json
import math
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask, Response, jsonify, request

TAIL_SECS: Final = 0.5
"""Between two events of a tail."""
_WAIT_SECS: Final = 5.0
_CONSUMER_PAUSE_SECS: Final = 0.007
_IS_GONE: Final = "waitress.client_disconnected"
_ON_GONE: Final = "app.on_client_gone"

Wait = Callable[[float], Iterable[bytes]]


@dataclass(slots=True)
class State:
    """What happened in this process; moments are of the monotonic clock, which all processes share."""

    tails_open: int = 0
    tail_threads: dict[int, int] = field(default_factory=dict)
    """Which thread each open tail last ran in; those that need none are not among them."""
    tails_closed_at: list[float] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    """Bytes that the application got of each body."""
    seen_gone_at: list[float] = field(default_factory=list)
    """When a request at work learned that its client is gone."""
    consumer_cycles: int = 0
    consumer_cpu_secs: float = 0.0

    def answer(self) -> dict[str, Any]:
        """The report."""
        return {
            "pid": os.getpid(),
            "tails_open": self.tails_open,
            "tail_threads": len(set(self.tail_threads.values())),
            "tails_closed_at": self.tails_closed_at,
            "bodies": self.bodies,
            "seen_gone_at": self.seen_gone_at,
            "consumer_cycles": self.consumer_cycles,
            "consumer_cpu_secs": self.consumer_cpu_secs,
        }


STATE: Final = State()


def sleep(secs: float) -> Iterable[bytes]:
    """Wait on the thread of the request, as a stream does on an ordinary WSGI server."""
    time.sleep(secs)
    return ()


def create_application(wait: Wait = sleep, is_stopping: Callable[[], bool] = lambda: False) -> Flask:
    """Routes for each measure. A tail waits by means of `wait`, and ends when the server stops, if it can know."""
    application = Flask("http_servers")
    application.add_url_rule("/live", view_func=_live)
    application.add_url_rule("/body", view_func=_body, methods=["POST"])
    application.add_url_rule("/answer", view_func=_answer)
    application.add_url_rule(
        "/tail", view_func=lambda: Response(_events(wait, is_stopping), mimetype="text/event-stream"), endpoint="tail"
    )
    application.add_url_rule("/work", view_func=_work)
    application.add_url_rule("/wait", view_func=_wait)
    return application


def _live() -> str:
    return "ok"


def _body() -> str:
    size = len(request.get_data(cache=False))
    STATE.bodies.append(size)
    return str(size)


def _answer() -> bytes:
    return b"a" * int(request.args["bytes"])


def _events(wait: Wait, is_stopping: Callable[[], bool]) -> Iterator[bytes]:
    STATE.tails_open += 1
    me = id(object()) ^ time.monotonic_ns()
    try:
        while not is_stopping():
            STATE.tail_threads[me] = threading.get_ident()
            yield b"data: event\n\n"
            if wait is not sleep:
                STATE.tail_threads.pop(me)
            yield from wait(TAIL_SECS)
    finally:
        STATE.tail_threads.pop(me, None)
        STATE.tails_open -= 1
        STATE.tails_closed_at.append(time.monotonic())


def _work() -> Response:
    rows = [
        {
            "id": number,
            "body": f"GET /items/{number} took {math.sqrt(number):.3f} ms",
            "service": f"service-{number % 7}",
        }
        for number in range(200)
    ]
    rows.sort(key=lambda row: (str(row["service"]), -int(str(row["id"]))))
    return jsonify(rows[:24])


def _wait() -> str:
    """Work for a while, as a long query would, unless the server reports that the client is gone."""
    gone = threading.Event()
    is_gone: Callable[[], bool] = request.environ.get(_IS_GONE, gone.is_set)
    if on_gone := request.environ.get(_ON_GONE):
        on_gone(gone.set)
    until = time.monotonic() + _WAIT_SECS
    while time.monotonic() < until:
        if is_gone():
            STATE.seen_gone_at.append(time.monotonic())
            break
        time.sleep(0.02)
    return "done"


def consume(stopping: threading.Event) -> None:
    """Use about 30 % of a core, half of it without the interpreter's lock, as a real consumer does."""
    block = bytes(3_000_000)
    while not stopping.wait(_CONSUMER_PAUSE_SECS):
        zlib.crc32(block)
        sum(range(60_000))
        STATE.consumer_cycles += 1
        STATE.consumer_cpu_secs = time.thread_time()


def start_companions(control: str, stopping: threading.Event, *, with_consumer: bool) -> None:
    """The threads beside the server in its process: the report at the Unix socket `control`, and the consumer."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(control)
    door.listen(16)
    threading.Thread(target=_attend, args=(door,), name="control", daemon=True).start()
    if with_consumer:
        threading.Thread(target=consume, args=(stopping,), name="consumer", daemon=True).start()


def _attend(door: socket.socket) -> None:
    while True:
        caller, _ = door.accept()
        with caller:
            caller.sendall(json.dumps(STATE.answer()).encode())

"""Clients of several protocols that post logs to the service's receivers all the time."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tests.faults.posted import Attempt, Attempts, PostedEvent
from tests.support import loki_push, otlp

_EVENTS = 20
_MANY_EVERY = 10
_MANY_EVENTS, _MANY_CHARS = 400, 2_000  # three records and more, on several partitions
_PAUSE_SECS = 0.15
_RESPONSE_SECS = 20.0


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: where a request goes, what its body is, and whether a response of 2xx says that all is stored."""

    name: str
    path: str
    body: Callable[[Sequence[str]], bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stored: Callable[[bytes, int], bool] = lambda _content, _events: True


def _ndjson(texts: Sequence[str]) -> bytes:
    return "".join(json.dumps({"message": text, "service": "posted"}) + "\n" for text in texts).encode()


def _bulk(texts: Sequence[str]) -> bytes:
    create = '{"create":{"_index":"posted"}}'
    return gzip.compress("".join(f"{create}\n{json.dumps({'message': text})}\n" for text in texts).encode(), 1)


def _loki(texts: Sequence[str]) -> bytes:
    now = time.time_ns()
    entries: list[loki_push.Entry] = [(now + number, text.encode(), {}) for number, text in enumerate(texts)]
    return loki_push.snappy(loki_push.push(('{service_name="posted"}', entries)))


def _otlp(texts: Sequence[str]) -> bytes:
    return bytes(otlp.request_of(*texts).SerializeToString())


def _says_all(content: bytes, events: int) -> bool:
    return bool(json.loads(content)["stored"] == events)


def _says_no_errors(content: bytes, events: int) -> bool:
    answer: dict[str, Any] = json.loads(content)
    return not answer["errors"] and [item["create"]["status"] for item in answer["items"]] == [201] * events


PROTOCOLS = (
    Protocol("json", "/api/v1/logs", _ndjson, {"Content-Type": "application/x-ndjson"}, _says_all),
    Protocol("otlp", "/v1/logs", _otlp, {"Content-Type": "application/x-protobuf"}, lambda content, _: not content),
    Protocol(
        "bulk",
        "/_bulk",
        _bulk,
        {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
        _says_no_errors,
    ),
    Protocol("loki", "/loki/api/v1/push", _loki, {"Content-Type": "application/x-protobuf"}),
)


class Posting:
    """One client of each protocol, each on its own thread. A failed attempt is never made again: its events are new."""

    def __init__(self, url: str, attempts: Attempts) -> None:
        self.attempts = attempts
        self._address = urlsplit(url).netloc
        self._is_flowing = threading.Event()
        self._should_end = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(protocol,), name=protocol.name, daemon=True)
            for protocol in PROTOCOLS
        ]
        self._is_flowing.set()
        for thread in self._threads:
            thread.start()

    def failed(self) -> int:
        """Attempts that failed."""
        return sum(number for (_, is_stored), number in self.attempts.counted().items() if is_stored is False)

    def stored(self) -> Mapping[str, int]:
        """Attempts that are stored, by client."""
        counted = self.attempts.counted()
        return {protocol.name: counted.get((protocol.name, True), 0) for protocol in PROTOCOLS}

    def pause(self) -> None:
        """Make no more attempts until `flow`."""
        self._is_flowing.clear()

    def flow(self) -> None:
        """Make attempts again."""
        self._is_flowing.set()

    def abandon(self) -> None:
        """End without waiting, after another failure or after `finish`."""
        self._should_end.set()
        self._is_flowing.set()

    def finish(self) -> None:
        """End; every attempt has its answer, or none."""
        self.abandon()
        for thread in self._threads:
            thread.join()
        self.attempts.close()

    def _run(self, protocol: Protocol) -> None:
        connection = HTTPConnection(self._address, timeout=_RESPONSE_SECS)
        for number in count():
            self._is_flowing.wait()
            if self._should_end.wait(_PAUSE_SECS):
                break
            self._post(connection, protocol, number)
        connection.close()

    def _post(self, connection: HTTPConnection, protocol: Protocol, number: int) -> None:
        attempt = Attempt(protocol.name, number)
        is_large = number % _MANY_EVERY == _MANY_EVERY - 1
        events = _MANY_EVENTS if is_large else _EVENTS
        padding = " " + "x" * _MANY_CHARS if is_large else ""
        texts = [PostedEvent(*attempt, position).text + padding for position in range(events)]
        self.attempts.begin(attempt, events)
        try:
            connection.request("POST", protocol.path, protocol.body(texts), dict(protocol.headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            self.attempts.end(attempt, type(error).__name__, is_stored=False)
            return
        is_stored = response.status // 100 == 2 and protocol.is_stored(content, events)
        self.attempts.end(attempt, str(response.status), is_stored=is_stored)

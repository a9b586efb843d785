"""Puts the events of a request on the topic, and returns when all in-sync replicas have them."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from app.domain.receipt import CONTENT_TYPE, headers_of
from app.errors import KafkaCode, Refused, TryAgainLater
from app.ports import LogPublisher
from app.receive.packing import packed
from app.receive.received import Received, Sent

_HEADER_BYTES: Final = 4096
"""Of a record's limit, for what Kafka adds and for headers, `_SAID_BYTES` of which are what the protocol says."""
_SAID_BYTES: Final = 2048


class Intake:
    """Sends what receivers received. Shared by threads; `key` signs receipts, and none are signed if it is empty."""

    def __init__(
        self,
        publisher: LogPublisher,
        *,
        key: bytes,
        timeout_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._publisher = publisher
        self._key = key
        self._timeout_secs = timeout_secs
        self._clock = clock

    def send(self, received: Received, receipt: Mapping[str, str], *, waited_secs: float = 0.0) -> Sent:
        """Send all events; when this returns, Kafka has them but for those that are refused.

        `waited_secs` is how much of the time limit the request has used.

        Raises:
            TryAgainLater: Kafka has not acknowledged all of them within the time limit. It may have some, or may still
                get them; none of them is sent again by this call.
            Refused: Kafka does not accept a record; it may have others of the request.
        """
        if not received.pieces:
            return Sent(0, tuple(received.problems))
        deadline = self._clock() + self._timeout_secs - waited_secs
        most_bytes = self._publisher.connect(max(0.0, deadline - self._clock())) - _header_bytes(received)
        records, problems = packed(received, most_bytes)
        outcome = _Outcome(len(records))
        said = {**receipt, **received.said}
        for form, value in records:
            given = {CONTENT_TYPE: form.content_type.decode(), **received.given}
            headers = headers_of(said, given, value, self._key)
            wait_secs = max(0.0, deadline - self._clock())
            self._publisher.publish(value, headers=headers, wait_secs=wait_secs, on_delivery=outcome.take)
        outcome.wait(max(0.0, deadline - self._clock()))
        return Sent(received.count - len(problems), (*received.problems, *problems))


def _header_bytes(received: Received) -> int:
    said_bytes = len(json.dumps([*received.said.items(), *received.given.items()]))
    return _HEADER_BYTES + max(0, said_bytes - _SAID_BYTES)


class _Outcome:
    """Waits for the outcome of several records."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._error: TryAgainLater | Refused | None = None
        self._changed = threading.Condition()

    def take(self, error: TryAgainLater | Refused | None) -> None:
        """The outcome of one record."""
        with self._changed:
            self._left -= 1
            self._error = self._error or error
            if self._error is not None or not self._left:
                self._changed.notify_all()

    def wait(self, timeout_secs: float) -> None:
        """Return when all are acknowledged; raise the first error as soon as there is one, or when the time is up."""
        with self._changed:
            is_known = self._changed.wait_for(lambda: self._error is not None or not self._left, timeout_secs)
            if self._error is not None:
                raise self._error
        if not is_known:
            reason = "Kafka has not acknowledged the logs in time"
            raise TryAgainLater(reason, code=KafkaCode.TIMEOUT, is_outcome_unknown=True)

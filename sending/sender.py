"""Sends lines to Kafka and counts the results."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from app.errors import KafkaCode, Refused, TryAgainLater
from app.input.lines import Line
from app.input.source import RefusedInput, UnreadableInput
from app.ports import LogPublisher
from sending.pacer import Pacer
from sending.tally import Tally

_TOPIC_PATIENCE_SECS = 10.0

_ADVICE: Mapping[str, str] = {
    KafkaCode.UNREACHABLE: "The KAFKA_* variables hold its address and the login.",
    KafkaCode.UNKNOWN_TOPIC: (
        "The service creates it when it starts; or create it: python -m kafka.admin -b ADDRESS topics create -t NAME"
    ),
}


class Sender:
    """Sends lines to the publisher on a thread of its own: reading and sending may block, Ctrl-C must not wait."""

    def __init__(
        self,
        publisher: LogPublisher,
        open_lines: Callable[[int], Iterable[Line]],
        tally: Tally,
        *,
        max_count: int,
        wait_secs: float,
        pacer: Pacer,
        key_of: Callable[[bytes], bytes | None] | None,
        headers: Sequence[tuple[str, bytes]] = (),
        stopping: threading.Event,
    ) -> None:
        """`wait_secs` is how long a record may wait for free space in the publisher before it counts as failed."""
        self._publisher = publisher
        self._open_lines = open_lines
        self._tally = tally
        self._max_count = max_count
        self._wait_secs = wait_secs
        self._pacer = pacer
        self._key_of = key_of
        self._headers = headers
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self.problem: str | None = None
        self.is_input_refused = False
        """The input is nothing that can be sent, and nothing of it was."""

    def start(self) -> None:
        self._thread.start()

    def has_ended(self, wait_secs: float) -> bool:
        """Whether there is nothing more to send."""
        self._thread.join(wait_secs)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            max_bytes = connect_patiently(self._publisher, self._stopping)
            self._send_all(self._open_lines(max_bytes), max_bytes)
        except TryAgainLater as error:
            self.problem = f"{error}. {_ADVICE.get(error.code, '')}".rstrip()
        except UnreadableInput as error:
            self.problem, self.is_input_refused = str(error), isinstance(error, RefusedInput)
        except OSError as error:
            self.problem = f"the input cannot be read any further: {error.strerror or error}"
        except Exception as error:  # a mistake of the program must not look like the end of the input
            self.problem = f"the input was not read to its end: {error!r}"
            raise

    def _send_all(self, lines: Iterable[Line], max_bytes: int) -> None:
        for line in lines:
            if self._stopping.is_set():
                return
            self._tally.read(line)
            if line.is_blank:
                continue
            self._pacer.wait()
            self._send(line, max_bytes)
            if self._tally.sent == self._max_count:
                return

    def _send(self, line: Line, max_bytes: int) -> None:
        self._tally.send()
        complete = partial(self._tally.complete, line.number, len(line.value or b""))
        if line.value is None:
            reason = f"a line of {line.size_bytes} bytes is longer than the topic allows ({max_bytes} bytes)"
            complete(Refused(reason, code=KafkaCode.TOO_LARGE))
            return
        key = self._key_of(line.value) if self._key_of else None
        if self._key_of and key is None:
            self._tally.without_key += 1
        try:
            self._publisher.publish(
                line.value, key=key, headers=self._headers, wait_secs=self._wait_secs, on_delivery=complete
            )
        except (TryAgainLater, Refused) as error:
            complete(error)


def connect_patiently(publisher: LogPublisher, stopping: threading.Event) -> int:
    """Connect; if the topic is missing, wait for the service to create it. Returns the limit of a record, in bytes.

    Raises:
        TryAgainLater: Kafka does not answer, or the topic stays missing.
    """
    deadline = time.monotonic() + _TOPIC_PATIENCE_SECS
    while True:
        try:
            return publisher.connect()
        except TryAgainLater as error:
            if error.code != KafkaCode.UNKNOWN_TOPIC or time.monotonic() > deadline or stopping.wait(0.5):
                raise

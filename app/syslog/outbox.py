"""Messages on their way to Kafka: in the order of each client, sent again until Kafka has them, in bounded memory."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Final

from app.domain.networks import parse_address
from app.errors import Refused, TryAgainLater
from app.http.request_id import new_request_id
from app.receive.receipts import receipt_of
from app.receive.received import Sent
from app.receive.syslog import NAME, Client, received_of, size_of
from app.syslog.events import Sends, SyslogEvents

_log: Final = logging.getLogger(__name__)

GATHER_SECS: Final = 0.05
"""How long the first message waits for others: one record of several costs Kafka and the consumer less."""

_BATCH_BYTES: Final = 256 * 1024
_BATCHES: Final = 8  # at a time, each of another client
_FIRST_RETRY_SECS: Final = 0.25
_MOST_RETRY_SECS: Final = 5.0

Submit = Callable[[Callable[[], Sent]], "Future[Sent]"]
"""Runs a call that may take seconds on a thread that does not keep the process from ending."""


class Outbox:
    """Used by the event loop alone. It does not limit itself: whoever puts something in asks before for room."""

    def __init__(
        self,
        intake: Sends,
        events: SyslogEvents,
        submit: Submit,
        *,
        most_bytes: int,
        most_bytes_of_client: int,
        on_full: Callable[[], None] = lambda: None,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_full` is called when nobody has room any more, `on_room` each time that a client may have room again."""
        self._intake = intake
        self._events = events
        self._submit = submit
        self._most_bytes = most_bytes
        self._most_bytes_of_client = most_bytes_of_client
        self._on_full = on_full
        self._on_room = on_room
        self._slots = asyncio.Semaphore(_BATCHES)
        self._queues: dict[Client, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0

    @property
    def is_full(self) -> bool:
        """Whether no client has room."""
        return self._held >= self._most_bytes

    def has_room(self, client: Client) -> bool:
        """Whether more may be put in."""
        queue = self._queues.get(client)
        return not self.is_full and (queue is None or queue.size < self._most_bytes_of_client)

    def put(self, client: Client, messages: Sequence[bytes]) -> None:
        """Messages that arrived now. They stay until Kafka has them, or until `finish` gives up."""
        if not messages:
            return
        queue = self._queues.get(client)
        if queue is None:
            queue = self._queues[client] = _Queue()
            task = asyncio.create_task(self._drain(client, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        was_full = self.is_full
        self._held += queue.add(messages)
        if self.is_full and not was_full:
            self._on_full()

    async def finish(self, timeout_secs: float) -> None:
        """Send what is there, for no longer than this. What remains has failed; Kafka may have some of it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_secs)
        for task in self._tasks:
            task.cancel()
        if left := sum(queue.count for queue in self._queues.values()):
            self._events.ended("failed", left)

    async def _drain(self, client: Client, queue: "_Queue") -> None:
        await asyncio.sleep(GATHER_SECS)
        while queue.count:
            arrived, messages = queue.next()
            async with self._slots:
                await self._deliver_or_log(client, messages, arrived)
            self._held -= queue.sent(messages)
            self._on_room()
        del self._queues[client]

    async def _deliver_or_log(self, client: Client, messages: Sequence[bytes], arrived: datetime) -> None:
        """An error that is none of Kafka's must not stop what follows."""
        try:
            await self._deliver(client, messages, arrived)
        except Exception:
            _log.exception("Syslog: %d messages of %s were not sent", len(messages), client.address)
            self._events.ended("failed", len(messages))

    async def _deliver(self, client: Client, messages: Sequence[bytes], arrived: datetime) -> None:
        """Return when Kafka has the messages, or never will."""
        received = received_of(messages, client, _host_of(client.address))
        # Of all attempts the same, so that messages that Kafka got twice can be told from messages sent twice.
        receipt = receipt_of(NAME, address=client.address, request_id=new_request_id(), at=arrived)
        wait_secs = _FIRST_RETRY_SECS
        while True:
            try:
                # If this task is cancelled, the call goes on.
                sent = await asyncio.shield(
                    asyncio.wrap_future(self._submit(lambda: self._intake.send(received, receipt)))
                )
            except TryAgainLater as error:
                self._events.waiting(error)
                await asyncio.sleep(wait_secs)
                wait_secs = min(2 * wait_secs, _MOST_RETRY_SECS)
            except Refused as error:
                await self._deliver_apart(client, messages, arrived, error)
                return
            else:
                self._events.ended("stored", sent.stored)
                for reason in sent.refused.values():
                    self._refuse(client, reason)
                return

    async def _deliver_apart(
        self, client: Client, messages: Sequence[bytes], arrived: datetime, error: Refused
    ) -> None:
        """Kafka does not take a record: find the message that it does not take."""
        middle = len(messages) // 2
        if not middle:
            self._refuse(client, str(error))
            return
        await self._deliver(client, messages[:middle], arrived)
        await self._deliver(client, messages[middle:], arrived)

    def _refuse(self, client: Client, reason: str) -> None:
        self._events.ended("refused", 1)
        self._events.refused(client.address, reason)


class _Queue:
    """What one client has sent and Kafka has not acknowledged."""

    def __init__(self) -> None:
        self.size = self.count = 0
        self._waiting: deque[tuple[datetime, bytes]] = deque()

    def add(self, messages: Sequence[bytes]) -> int:
        """Returns their size."""
        now = datetime.now(UTC)
        self._waiting.extend((now, message) for message in messages)
        self.count += len(messages)
        self.size += (size := size_of(messages))
        return size

    def next(self) -> tuple[datetime, Sequence[bytes]]:
        """The next batch, and when the first of it arrived. It counts until it is `sent`."""
        arrived, first = self._waiting.popleft()
        messages, size = [first], len(first)
        while self._waiting and size + len(self._waiting[0][1]) <= _BATCH_BYTES:
            message = self._waiting.popleft()[1]
            messages.append(message)
            size += len(message)
        return arrived, messages

    def sent(self, messages: Sequence[bytes]) -> int:
        """Forget a batch; returns its size."""
        self.count -= len(messages)
        self.size -= (size := size_of(messages))
        return size


def _host_of(address: str) -> str:
    """The host of messages that name none, as RFC 3164 has it (4.3.3); none for this machine."""
    parsed = parse_address(address)
    return "" if parsed is None or parsed.is_loopback else address

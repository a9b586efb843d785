"""Errors of clients that Kafka rejects. Each runs in its own process, because giving up takes ten seconds."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final, NamedTuple

from app.backends.kafka.publisher import KafkaPublisher
from app.backends.kafka.topic import TopicAdmin
from app.errors import TryAgainLater
from app.settings import KafkaSettings
from tests.contract.topics import open_quiet_source


class Refusal(NamedTuple):
    """The message, its chain of causes, and the time it took."""

    said: str
    behind: str
    secs: float


def open_admin(settings: KafkaSettings) -> None:
    """Connect to Kafka and read the topic."""
    TopicAdmin(settings).ensure()


def open_source(settings: KafkaSettings) -> None:
    """Reach Kafka to read."""
    open_quiet_source(settings)


def open_publisher(settings: KafkaSettings) -> None:
    """Reach Kafka to send."""
    KafkaPublisher(settings).connect()


OPENERS: Mapping[str, Callable[[KafkaSettings], None]] = {
    "admin": open_admin,
    "source": open_source,
    "publisher": open_publisher,
}


_AT_ONCE: Final = 3


def refusals_of(settings: Mapping[str, KafkaSettings]) -> dict[tuple[str, str], Refusal]:
    """The error of each client with each of the settings."""
    cases = [(fault, client) for fault in settings for client in OPENERS]
    # Not all at once: so many processes that start keep each other from a handshake within its ten seconds.
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
        tried = pool.map(_refusal, [OPENERS[client] for _, client in cases], [settings[fault] for fault, _ in cases])
        return dict(zip(cases, tried, strict=True))


def _refusal(opened: Callable[[KafkaSettings], None], settings: KafkaSettings) -> Refusal:
    started_at = time.monotonic()
    try:
        opened(settings)
    except TryAgainLater as error:
        behind = "".join(traceback.format_exception(error))
        return Refusal(str(error), behind, time.monotonic() - started_at)
    raise AssertionError("it was let in")

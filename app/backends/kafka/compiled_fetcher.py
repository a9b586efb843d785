"""The interface of the compiled code that fetches (`native/src/fetcher.rs`)."""

from collections.abc import Callable, Sequence
from typing import Protocol

from app.domain.records import Buffer


class PackedRecords(Protocol):
    """The records of one partition, at least one."""

    topic: str
    partition: int
    offsets: Buffer
    """64 bits each, as the times."""
    times: Buffer
    values: Sequence[bytes | None]
    headers: Sequence[tuple[int, Sequence[tuple[str | None, bytes | None]]]]
    """Of those records that have any; a name that is not UTF-8 is None."""
    keys: Sequence[bytes | None] | None


class PackedTaken(Protocol):
    """Records, topic, partition, offset, number and text of errors of partitions, errors of the client, and its log."""

    records: Sequence[PackedRecords]
    reports: Sequence[tuple[str, int, int, int, str]]
    failures: Sequence[tuple[int, str]]
    lines: Sequence[tuple[int, str]]


class Fetcher(Protocol):
    """What is compiled."""

    def start(self, topic: str, partition: int, offset: int) -> None: ...
    def stop(self, topic: str, partition: int) -> None: ...
    def take(self, most: int, timeout_ms: int) -> PackedTaken: ...
    def close(self) -> None: ...


class NewFetcher(Protocol):
    """Makes one, by the path of what has loaded librdkafka. Raises OSError if the library cannot be used."""

    def __call__(
        self,
        library: str,
        options: Sequence[tuple[str, str]],
        token: Callable[[str], tuple[str, float]] | None,
        has_keys: bool,
    ) -> Fetcher: ...

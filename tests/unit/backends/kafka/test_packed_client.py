"""What the client makes of what compiled code has taken, and what it tells the compiled code."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError
from kafka import TopicPartition
from kafka.errors import SaslAuthenticationFailedError

from app.backends.kafka.confluent_options import fetching_options
from app.backends.kafka.fetching_client import UnsupportedOption
from app.backends.kafka.packed_client import PackedClient
from app.build.native import installed
from app.domain.records import Partition
from app.environment import read_settings
from tests.support.native import needs_native

OPTIONS = {"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "check.crcs": True, "socket.timeout.ms": 9}


class Fetcher:
    """Compiled code that has taken what a test hands it."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.next = SimpleNamespace(records=[], reports=[], failures=[], lines=[])

    def __call__(
        self,
        library: str,
        options: Sequence[tuple[str, str]],
        token: Callable[[str], tuple[str, float]] | None,
        has_keys: bool,
    ) -> Fetcher:
        self.told.append((dict(options), token, has_keys))
        return self

    def start(self, topic: str, partition: int, offset: int) -> None:
        self.told.append(("start", topic, partition, offset))

    def stop(self, topic: str, partition: int) -> None:
        self.told.append(("stop", topic, partition))

    def take(self, most: int, timeout_ms: int) -> Any:
        self.told.append(("take", most, timeout_ms))
        return self.next

    def close(self) -> None: ...


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher()


def test_the_options_are_those_of_confluent_without_a_group(fetcher: Fetcher) -> None:
    def token(_: str) -> tuple[str, float]:
        return "t", 1.0

    PackedClient(fetcher, OPTIONS | {"oauth_cb": token}, has_keys=True)

    texts = {"bootstrap.servers": "127.0.0.1:1", "check.crcs": "true", "socket.timeout.ms": "9"}
    assert fetcher.told == [(texts, token, True)]


def two_records(headers: list[tuple[int, list[tuple[str | None, bytes | None]]]]) -> SimpleNamespace:
    return SimpleNamespace(
        topic="logs",
        partition=3,
        offsets=array("q", [5, 7]).tobytes(),
        times=array("q", [1, -1]).tobytes(),
        values=[b"a", None],
        headers=headers,
        keys=None,
    )


def test_records_become_a_chunk_of_each_partition(fetcher: Fetcher) -> None:
    client = PackedClient(fetcher, OPTIONS)
    fetcher.next.records = [two_records(headers=[(1, [("name", None)])])]

    [chunk] = client.take(10, 0.5, {"logs": "id"}).chunks

    assert fetcher.told[-1] == ("take", 10, 500)
    assert (chunk.partition, chunk.topic_id, chunk.next_offset) == (Partition("logs", 3), "id", 8)
    assert (list(chunk.offsets), list(chunk.timestamps_ms), chunk.values) == ([5, 7], [1, -1], [b"a", None])
    assert (list(chunk.headers), chunk.keys) == ([(), [("name", None)]], None)


def test_a_record_whose_header_has_no_name_in_utf_8_comes_without_its_headers_and_the_log_says_so(
    fetcher: Fetcher, caplog: pytest.LogCaptureFixture
) -> None:
    client = PackedClient(fetcher, OPTIONS)
    fetcher.next.records = [two_records(headers=[(0, [("a", b"1")]), (1, [("b", b"2"), (None, b"3")])])]

    [chunk] = client.take(10, 0.5, {"logs": "id"}).chunks

    assert chunk.headers == [[("a", b"1")], ()]
    [said] = caplog.records
    assert "offset 7 of logs/3 is read without its headers" in said.message
    assert said.name != "confluent_kafka", "the service does not log what the library says"


def test_what_partitions_report_comes_with_their_errors(fetcher: Fetcher) -> None:
    client = PackedClient(fetcher, OPTIONS)
    fetcher.next.reports = [("logs", 0, 12, KafkaError._PARTITION_EOF, "the end")]

    [(partition, offset, error)] = client.take(10, 0, {}).reports

    assert (partition, offset, error.name()) == (TopicPartition("logs", 0), 12, "_PARTITION_EOF")


def test_a_refusal_is_raised_if_nothing_comes(fetcher: Fetcher) -> None:
    client = PackedClient(fetcher, OPTIONS)
    fetcher.next.failures = [(KafkaError._AUTHENTICATION, "wrong password")]

    with pytest.raises(SaslAuthenticationFailedError, match="wrong password"):
        client.take(10, 0, {})


def test_the_log_of_the_library_is_ours(fetcher: Fetcher, caplog: pytest.LogCaptureFixture) -> None:
    client = PackedClient(fetcher, OPTIONS)
    fetcher.next.lines = [(3, "FAIL gone"), (7, "FETCH a detail")]

    with caplog.at_level(logging.DEBUG):
        client.take(10, 0, {})

    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "FAIL gone"),
        ("DEBUG", "FETCH a detail"),
    ]


# The compiled code itself.


def compiled_client(**more: object) -> PackedClient:
    new_fetcher = installed().new_fetcher
    assert new_fetcher is not None
    return PackedClient(new_fetcher, fetching_options(read_settings({}).kafka, metadata_secs=1.0) | more)


@needs_native
def test_the_library_takes_the_options_of_the_service() -> None:
    with closing(compiled_client()) as client:
        client.stop([TopicPartition("never-fetched", 0)])
    client.close()  # again


@needs_native
def test_an_option_that_the_library_does_not_have_is_named() -> None:
    with pytest.raises(UnsupportedOption, match=r"no\.such\.option"):
        compiled_client(**{"no.such.option": 1})


@needs_native
@pytest.mark.parametrize("library", ["/no/such/library.so", "/etc/hostname", ""])
def test_a_library_that_is_not_there_or_has_no_kafka_is_an_error_and_no_more(library: str) -> None:
    new_fetcher = installed().new_fetcher
    assert new_fetcher is not None

    with pytest.raises(OSError, match=r"not loaded|has no"):
        new_fetcher(library, [], None, False)


@needs_native
def test_a_closed_fetcher_says_so() -> None:
    client = compiled_client()
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.take(1, 0, {})

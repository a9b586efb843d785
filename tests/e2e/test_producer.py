"""producer.py as a user runs it, against a real Kafka."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from local.paths import ROOT

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 60
TRACE = b"""\
2026-11-29 10:15:01 ERROR failed
java.lang.IllegalStateException: no stock
\tat com.example.Shop.sell(Shop.java:42)
Caused by: java.io.IOException: closed
\t... 12 more"""


class Kafka(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


class Topic:
    """A topic per test, and its records."""

    def __init__(self, kafka: Kafka) -> None:
        self.name = f"producer-{uuid.uuid4().hex[:12]}"
        self.bootstrap_servers = kafka.bootstrap_servers
        self._admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)

    def create(self, partitions: int = 4, **configs: str) -> None:
        names = {name.replace("_", "."): value for name, value in configs.items()}
        topic = {"num_partitions": partitions, "replication_factor": 1, "configs": names}
        self._admin.create_topics({self.name: topic}, wait_for_metadata=True)

    def records(self) -> list[Any]:
        """Every record up to the current ends of the partitions."""
        with KafkaConsumer(bootstrap_servers=self.bootstrap_servers, auto_offset_reset="earliest") as consumer:
            partitions = [TopicPartition(self.name, n) for n in sorted(consumer.partitions_for_topic(self.name))]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            records: list[Any] = []
            deadline = time.monotonic() + TIMEOUT_SECS
            while any(consumer.position(partition) < end for partition, end in ends.items()):
                assert time.monotonic() < deadline, f"only {len(records)} records of {ends}"
                for batch in consumer.poll(timeout_ms=200).values():
                    records += batch
            return records

    def values(self) -> list[bytes]:
        return [record.value for record in self.records()]

    def close(self) -> None:
        self._admin.close()


@pytest.fixture
def missing_topic(kafka: Kafka) -> Iterator[Topic]:
    topic = Topic(kafka)
    yield topic
    topic.close()


@pytest.fixture
def topic(missing_topic: Topic) -> Topic:
    missing_topic.create()
    return missing_topic


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "producer.py"), *arguments]


def environment(topic: Topic) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
    return others | {"KAFKA_BOOTSTRAP_SERVERS": topic.bootstrap_servers, "KAFKA_TOPIC": topic.name}


def run(topic: Topic, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        command(*arguments), env=environment(topic), cwd=ROOT, input=stdin, capture_output=True, timeout=TIMEOUT_SECS
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def awkward_lines(count: int) -> list[bytes]:
    """Lines that differ from each other, with bytes that text tools often change."""
    oddities = (
        b"\xff\xfe",
        b"\x00",
        "größe 日本".encode(),
        b"  spaces  ",
        b"\t",
        b'{"a":1}',
        b"\r inside",
        b"\xc2\x85\x0b\x0c",
    )
    return [b"%d %s" % (n, oddities[n % len(oddities)]) for n in range(count)]


def test_every_line_of_a_file_arrives_once_with_its_bytes_untouched(topic: Topic, tmp_path: Path) -> None:
    lines = awkward_lines(2_000)
    file = tmp_path / "some.log"
    file.write_bytes(b"\n".join(lines))

    done = run(topic, "--file", str(file))

    assert done.returncode == 0, done.stderr
    assert b"2,000 sent, 2,000 acknowledged, 0 failed" in done.stdout
    assert Counter(topic.values()) == Counter(lines)


def test_lines_of_standard_input_arrive(topic: Topic) -> None:
    lines = awkward_lines(500)

    done = run(topic, "-", stdin=b"\r\n".join(lines) + b"\r\n")

    assert done.returncode == 0, done.stderr
    assert Counter(topic.values()) == Counter(lines)


def test_a_line_arrives_while_the_input_is_still_open(topic: Topic) -> None:
    with subprocess.Popen(
        command("-", "--quiet"), env=environment(topic), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as producer:
        assert producer.stdin is not None
        producer.stdin.write(b"first\nsecond is not comp")
        producer.stdin.flush()
        deadline = time.monotonic() + TIMEOUT_SECS
        while topic.values() != [b"first"]:
            assert time.monotonic() < deadline
        producer.stdin.write(b"lete\n")
        producer.stdin.close()
        assert producer.wait(TIMEOUT_SECS) == 0

    assert Counter(topic.values()) == Counter([b"first", b"second is not complete"])


def test_a_packed_file_with_stack_traces_arrives_event_by_event_with_its_headers(topic: Topic, tmp_path: Path) -> None:
    events = [TRACE if n % 7 == 0 else b"2026-11-29 10:15:01 INFO line %d" % n for n in range(700)]
    file = tmp_path / "app.log.gz"
    file.write_bytes(gzip.compress("\n".join(event.decode() for event in events).encode("utf-16")))

    done = run(topic, str(file), "--service", "pay", "--timezone", "Asia/Tokyo", "--header", "team=shop")

    assert done.returncode == 0, done.stderr
    assert b"700 sent, 700 acknowledged, 0 failed" in done.stdout
    assert b"%d lines joined to the event" % (100 * TRACE.count(b"\n")) in done.stdout
    assert b"(gzip, UTF-16-LE)" in done.stdout
    records = topic.records()
    assert Counter(record.value for record in records) == Counter(events)
    headers = [("service.name", b"pay"), ("timezone", b"Asia/Tokyo"), ("team", b"shop")]
    assert all(list(record.headers) == headers for record in records)


@pytest.mark.parametrize("is_piped", [False, True])
def test_a_binary_file_is_refused_and_nothing_of_it_is_sent(topic: Topic, tmp_path: Path, is_piped: bool) -> None:
    file = tmp_path / "picture.log"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1_000) + b"\n2026-11-29 a line\n")

    done = run(topic, "-", stdin=file.read_bytes()) if is_piped else run(topic, str(file))

    assert done.returncode == 2
    assert done.stdout == b""
    assert b"%b is not text but a PNG image" % (b"standard input" if is_piped else bytes(file)) in done.stderr
    assert topic.values() == []


def test_a_file_that_is_followed_has_its_last_event_sent_soon(topic: Topic, tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    event = TRACE
    file.write_bytes(event + b"\n")
    with (
        subprocess.Popen(["tail", "-f", str(file)], stdout=subprocess.PIPE) as tail,
        subprocess.Popen(
            command("-", "--quiet"), env=environment(topic), cwd=ROOT, stdin=tail.stdout, stdout=subprocess.PIPE
        ) as producer,
    ):
        deadline = time.monotonic() + TIMEOUT_SECS
        while topic.values() != [event]:
            assert time.monotonic() < deadline
        with file.open("ab") as out:
            out.write(event + b"\n")
        while topic.values() != [event, event]:
            assert time.monotonic() < deadline
        tail.kill()
        assert producer.wait(TIMEOUT_SECS) == 0


def test_ctrl_c_ends_a_run_that_waits_for_input(topic: Topic) -> None:
    with subprocess.Popen(
        command("-"),
        env=environment(topic),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as producer:
        assert producer.stdin is not None
        producer.stdin.write(b"one\n")
        producer.stdin.flush()
        wait_for_records(topic)
        producer.send_signal(signal.SIGINT)
        out, err = producer.communicate(timeout=TIMEOUT_SECS)

    assert producer.returncode == 128 + signal.SIGINT
    assert b"1 sent, 1 acknowledged" in out
    assert b"Traceback" not in err
    assert b"Fatal" not in err


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not show who handles signals")
def test_a_signal_ends_a_run_that_waits_for_somebody_to_write_to_a_named_pipe(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with subprocess.Popen(command(str(pipe)), cwd=ROOT, stderr=subprocess.PIPE) as producer:
        deadline = time.monotonic() + TIMEOUT_SECS
        while not handles(producer.pid, signal.SIGTERM) and time.monotonic() < deadline:
            time.sleep(0.02)
        producer.terminate()
        try:
            _, err = producer.communicate(timeout=TIMEOUT_SECS)
        finally:
            producer.kill()

    assert (producer.returncode, err) == (128 + signal.SIGTERM, b"")


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for the signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_endless_run_with_everything_acknowledged(topic: Topic, number: signal.Signals) -> None:
    with subprocess.Popen(
        command("--count", "0", "--quiet"),
        env=environment(topic),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as producer:
        wait_for_records(topic)
        producer.send_signal(number)
        out, err = producer.communicate(timeout=TIMEOUT_SECS)

    assert (producer.returncode, err) == (0, b"")
    told = re.match(rb"([\d,]+) sent, ([\d,]+) acknowledged, 0 failed", out)
    assert told is not None
    assert told[1] == told[2]
    assert len(topic.values()) == int(told[1].replace(b",", b""))


def wait_for_records(topic: Topic) -> None:
    deadline = time.monotonic() + TIMEOUT_SECS
    while not topic.values():
        assert time.monotonic() < deadline


def test_lines_that_the_topic_does_not_allow_fail_by_number_and_the_others_arrive(topic: Topic) -> None:
    # 1,048,588 bytes is the topic's limit for a batch; a batch of one record needs some 75 bytes besides.
    lines = [b"before", b"x" * 1_048_588, b"between", b"y" * 5_000_000, b"z" * 1_048_000, b"after"]

    done = run(topic, "--compression", "none", "-", stdin=b"\n".join(lines))

    assert done.returncode == 1
    assert b"6 sent, 4 acknowledged, 2 failed" in done.stdout
    assert b"2 failed (number 2, 4)" in done.stdout
    assert Counter(topic.values()) == Counter([lines[0], lines[2], lines[4], lines[5]])


def test_the_limit_is_the_one_of_the_topic(missing_topic: Topic) -> None:
    missing_topic.create(max_message_bytes="10000")
    lines = [b"x" * 9_900, b"y" * 10_000, *(b"%d" % n for n in range(5_000))]

    done = run(missing_topic, "-", stdin=b"\n".join(lines))

    assert done.returncode == 1
    assert b"1 failed (number 2)" in done.stdout
    assert Counter(missing_topic.values()) == Counter([lines[0], *lines[2:]])


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_arrive_in_every_compression(topic: Topic, compression: str) -> None:
    lines = awkward_lines(1_000)

    done = run(topic, "--compression", compression, "-", stdin=b"\n".join(lines))

    assert done.returncode == 0, done.stderr
    assert Counter(topic.values()) == Counter(lines)


def test_generated_events_arrive_and_fill_all_partitions(topic: Topic) -> None:
    done = run(topic, "--count", "20000")

    records = topic.records()
    assert done.returncode == 0, done.stderr
    assert len(records) == 20_000
    assert {record.partition for record in records} == {0, 1, 2, 3}
    assert all(json.loads(record.value)["service"] for record in records)


def test_events_with_the_same_key_share_a_partition(topic: Topic) -> None:
    run(topic, "--count", "3000", "--key", "service")

    partitions: dict[bytes, set[int]] = {}
    for record in topic.records():
        assert record.key.decode() == json.loads(record.value)["service"]
        partitions.setdefault(record.key, set()).add(record.partition)
    assert len(partitions) == 20
    assert all(len(used) == 1 for used in partitions.values())


def test_the_rate_is_kept(topic: Topic) -> None:
    done = run(topic, "--count", "300", "--rate", "150")

    seconds = re.search(rb" in ([\d.]+) s", done.stdout)
    assert seconds is not None
    assert 1.9 <= float(seconds[1]) < 4
    assert len(topic.values()) == 300


def test_an_unreachable_kafka_is_reported_within_15_seconds(topic: Topic) -> None:
    began = time.monotonic()
    run(topic, "--help")
    python_secs = time.monotonic() - began  # time to start Python, which is long on a busy machine
    began = time.monotonic()

    done = run(topic, "--bootstrap-servers", "127.0.0.1:1")

    assert time.monotonic() - began - python_secs < 15
    assert done.returncode == 1
    assert b"producer.py: Kafka does not answer at 127.0.0.1:1 (" in done.stderr
    assert b"REFUSED" in done.stderr


def test_a_missing_topic_is_reported_with_advice(missing_topic: Topic) -> None:
    done = run(missing_topic, "--count", "1")

    assert done.returncode == 1
    assert f"topic {missing_topic.name} does not exist".encode() in done.stderr
    assert b"The service creates it" in done.stderr


def test_a_topic_that_appears_a_moment_later_is_used(missing_topic: Topic) -> None:
    with subprocess.Popen(
        command("--count", "10", "--quiet"), env=environment(missing_topic), cwd=ROOT, stdout=subprocess.PIPE
    ) as producer:
        with pytest.raises(subprocess.TimeoutExpired):
            producer.wait(2)
        missing_topic.create()
        assert producer.wait(TIMEOUT_SECS) == 0

    assert len(missing_topic.values()) == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_summary_on_a_full_disk_is_one_sentence_and_exit_code_1(topic: Topic) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("--count", "10", "--quiet"),
            env=environment(topic),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_SECS,
        )

    assert done.returncode == 1
    assert done.stderr == (
        b"producer.py: the summary cannot be written: No space left on device. 10 sent, 10 acknowledged, 0 failed\n"
    )
    assert len(topic.values()) == 10

"""Real logs through the stack that `make run` starts: every line arrives once, most are understood.

Skipped where the data is absent.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_connect import get_client
from kafka import KafkaConsumer, TopicPartition

from local.paths import ROOT
from local.ports import LOOPBACK
from tests.e2e.pipeline import wait_until
from tests.support.local_run import LocalRun, clickhouse_password, own_environment

LOGHUB = Path(os.environ.get("LOGHUB_DIR") or ROOT.parent / "shared" / "data" / "loghub")
SETS = ("Apache", "HDFS", "Linux", "OpenSSH", "OpenStack", "Spark", "Zookeeper")
LINES = 2_000
LEAST_AGREEMENT = 0.97  # the labels do not know the levels that sshd writes into its messages

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not LOGHUB.is_dir(), reason=f"no log data in {LOGHUB}; LOGHUB_DIR says where it is"),
]


class Label(NamedTuple):
    """The labels of a line, from the data set."""

    time: str
    """Without year if the line has none."""
    severity: str


@dataclass(frozen=True)
class Table:
    """All rows, and the offsets of the lines of each set."""

    rows: list[dict[str, Any]]
    ranges: Mapping[str, Mapping[int, range]]

    def rows_of(self, name: str) -> list[dict[str, Any]]:
        """The rows of one set."""
        return [row for row in self.rows if row["_offset"] in self.ranges[name][row["_partition"]]]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """The table after every set was sent with `producer.py --file`."""
    directory = tmp_path_factory.mktemp("loghub")
    environment = own_environment(directory)
    run = LocalRun(environment, directory / "run.log", ["--no-samples"])
    try:
        run.wait_until_up()
        ranges = _send(f"{LOOPBACK}:{environment['LOCAL_KAFKA_PORT']}")
        yield Table(_stored(environment), ranges)
    finally:
        run.kill()


def _send(bootstrap_servers: str) -> dict[str, dict[int, range]]:
    """Send set by set; returns the offsets of each in each partition."""
    ranges = {}
    with KafkaConsumer(bootstrap_servers=bootstrap_servers) as consumer:
        partitions = [TopicPartition("logs", number) for number in sorted(consumer.partitions_for_topic("logs"))]
        before = consumer.end_offsets(partitions)
        for name in SETS:
            file = str(LOGHUB / f"{name}_2k.log")
            command = [sys.executable, "producer.py", "--quiet", "--timezone", "none"]
            done = subprocess.run(
                [*command, "--bootstrap-servers", bootstrap_servers, "--file", file],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert f"{LINES:,} sent, {LINES:,} acknowledged, 0 failed" in done.stdout, done.stdout + done.stderr
            after = consumer.end_offsets(partitions)
            ranges[name] = {tp.partition: range(before[tp], after[tp]) for tp in partitions}
            before = after
    return ranges


def _stored(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    client = get_client(
        host=LOOPBACK,
        port=int(environment["LOCAL_CLICKHOUSE_PORT"]),
        username="ingest",
        password=clickhouse_password(environment),
        autogenerate_session_id=False,
    )
    try:
        wait_until(
            lambda: int(str(client.command("SELECT count() FROM logs.logs"))) >= LINES * len(SETS),
            "every line in the table",
        )
        answer = client.query(
            "SELECT Timestamp, Body, SeverityText, LogAttributes['original_timestamp'] AS original, ParseError, _raw,"
            " _topic_id, _partition, _offset, _item FROM logs.logs"
        )
        return list(answer.named_results())
    finally:
        client.close()


def lines_of(name: str) -> list[str]:
    """The lines of a set as producer.py sends them."""
    lines = (LOGHUB / f"{name}_2k.log").read_bytes().decode().split("\n")
    return [line.removesuffix("\r") for line in lines if line.strip()]


def labels_of(name: str) -> dict[str, Label]:
    """The labels of each line of a set, by the line; equal lines have equal labels."""
    rows = (row.split("\t") for row in (LOGHUB / "labels" / f"{name}.tsv").read_text().splitlines())
    labels = [Label(time.lstrip("-"), "" if level == "-" else level) for _, time, level in rows]
    return dict(zip(lines_of(name), labels, strict=True))


def time_in(row: dict[str, Any]) -> str:
    """The parsed time of a line in the format of the labels; old times are kept only as an attribute."""
    found = row["original"] or row["Timestamp"].isoformat()
    moment = datetime.fromisoformat(found.replace("Z", "+00:00")).replace(tzinfo=UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("name", SETS)
def test_every_line_is_stored_exactly_once_as_it_is(table: Table, name: str) -> None:
    rows = table.rows_of(name)

    assert Counter(row["Body"] for row in rows) == Counter(lines_of(name))
    assert {(row["ParseError"], row["_raw"]) for row in rows} == {("", "")}


def test_every_row_is_another_record(table: Table) -> None:
    identities = {(row["_topic_id"], row["_partition"], row["_offset"], row["_item"]) for row in table.rows}

    assert len(identities) == len(table.rows) == LINES * len(SETS)


@pytest.mark.parametrize("name", SETS)
def test_times_and_severities_are_found_as_labelled(table: Table, name: str) -> None:
    rows, labels = table.rows_of(name), labels_of(name)

    same_times = sum(time_in(row).endswith(labels[row["Body"]].time) for row in rows)
    same_severities = sum(row["SeverityText"] == labels[row["Body"]].severity for row in rows)

    assert same_times >= LEAST_AGREEMENT * LINES
    assert same_severities >= LEAST_AGREEMENT * LINES


@pytest.mark.parametrize("name", SETS)
def test_no_row_is_placed_where_it_would_expire_at_once(table: Table, name: str) -> None:
    now = datetime.now(UTC)

    times = [row["Timestamp"].replace(tzinfo=UTC) for row in table.rows_of(name)]

    assert now - timedelta(days=28) < min(times) <= max(times) < now + timedelta(days=1)

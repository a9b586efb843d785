"""`python -m local` as a user runs it: starts, keeps its data, stops all its processes, explains errors."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.paths import ROOT
from local.ports import LOOPBACK, free_port, is_listening
from tests.support.local_run import LocalRun, clickhouse_password, own_environment

pytestmark = pytest.mark.stack

MakeRun = Callable[..., LocalRun]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment with free ports and its own directory; Kafka's jars come from the common cache."""
    return own_environment(tmp_path)


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Iterator[MakeRun]:
    """Starts the command; remaining processes are killed at the end."""
    runs: list[LocalRun] = []

    def start(*options: str, **changes: str) -> LocalRun:
        made = LocalRun({**environment, **changes}, tmp_path / f"run-{len(runs)}.log", list(options))
        runs.append(made)
        return made

    yield start
    for made in runs:
        made.kill()


def _count_rows(environment: dict[str, str]) -> int:
    address = f"http://{LOOPBACK}:{environment['LOCAL_CLICKHOUSE_PORT']}/?query=SELECT+count()+FROM+logs.logs"
    login = {"X-ClickHouse-User": "ingest", "X-ClickHouse-Key": clickhouse_password(environment)}
    with urllib.request.urlopen(urllib.request.Request(address, headers=login), timeout=20) as answer:
        return int(answer.read())


def _wait_for_rows(environment: dict[str, str], more_than: int) -> int:
    deadline = time.monotonic() + 60
    while (count := _count_rows(environment)) <= more_than:
        assert time.monotonic() < deadline, "no more rows came"
        time.sleep(0.1)
    return count


def test_sample_logs_arrive_and_are_there_after_a_restart(run: MakeRun, environment: dict[str, str]) -> None:
    first = run()
    first.wait_until_up()
    _wait_for_rows(environment, more_than=20)
    password = clickhouse_password(environment)
    processes = first.descendants()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(90) == 0
    _, alive = psutil.wait_procs(processes, timeout=60)
    second = run("--no-samples")
    second.wait_until_up()

    assert len(processes) >= 4
    assert alive == []
    assert _count_rows(environment) > 20
    assert clickhouse_password(environment) == password
    for port in ("LOCAL_KAFKA_PORT", "LOCAL_CLICKHOUSE_PORT", "LOCAL_HTTP_PORT"):
        assert environment[port] in second.output


def test_clickhouse_wants_a_password_and_a_second_copy_in_the_same_directory_is_refused(
    run: MakeRun, environment: dict[str, str]
) -> None:
    """Commands get the password from a file. One stack serves for both, as it takes long to start."""
    run("--no-samples").wait_until_up()
    second = run("--no-samples")
    directory = Path(environment["LOCAL_DIR"])
    check = f". {directory}/env && {sys.executable} -m app check"

    checked = subprocess.run(["sh", "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://{LOOPBACK}:{environment['LOCAL_CLICKHOUSE_PORT']}/?query=SELECT+1", timeout=20)

    assert "0 problems" in checked.stdout, checked.stdout + checked.stderr
    for name in ("clickhouse-password", "receive-key", "env"):
        assert (directory / name).stat().st_mode & 0o077 == 0, f"others can read {name}"
    assert second.process.wait(60) == 1
    assert "Another local stack is running" in second.output


def test_nothing_is_left_when_it_is_killed_with_9(run: MakeRun) -> None:
    killed = run()
    killed.wait_until_up()
    processes = killed.descendants()

    killed.process.kill()
    _, alive = psutil.wait_procs(processes, timeout=60)

    assert len(processes) >= 4
    assert alive == []


def test_nothing_is_left_when_it_is_stopped_while_it_starts(run: MakeRun) -> None:
    starting = run()
    while not (processes := starting.descendants()):
        assert starting.process.poll() is None, starting.output

    starting.process.send_signal(signal.SIGTERM)
    code = starting.process.wait(90)
    _, alive = psutil.wait_procs(processes, timeout=60)

    assert code == 0
    assert "Stopped." in starting.output
    assert "Traceback" not in starting.output
    assert alive == []


def test_everything_ends_when_a_part_dies(run: MakeRun) -> None:
    running = run("--no-samples")
    running.wait_until_up()
    processes = running.descendants()
    engine = next(process for process in processes if "local.engine" in process.cmdline())

    engine.kill()
    code = running.process.wait(90)
    _, alive = psutil.wait_procs(processes, timeout=60)

    assert code == 1
    assert "ClickHouse engine ended with code -9" in running.output
    assert "Traceback" not in running.output
    assert alive == []


@pytest.mark.parametrize("name", ["LOCAL_KAFKA_PORT", "LOCAL_CLICKHOUSE_PORT", "LOCAL_HTTP_PORT"])
def test_a_taken_port_is_reported_with_advice(run: MakeRun, environment: dict[str, str], name: str) -> None:
    with socket.create_server((LOOPBACK, int(environment[name]))):
        refused = run()
        code = refused.process.wait(60)

    assert code == 1
    assert re.search(rf"Port {environment[name]} for .* cannot be used \(Address already in use\)", refused.output)
    assert f"{name}=PORT" in refused.output
    assert "Traceback" not in refused.output


def test_a_first_start_without_network_is_reported(run: MakeRun, environment: dict[str, str], tmp_path: Path) -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    refused = run(
        LOCAL_CACHE_DIR=str(tmp_path / "cache"), HTTPS_PROXY=nowhere, https_proxy=nowhere, M2_REPO=str(tmp_path)
    )

    assert refused.process.wait(60) == 1
    assert "could not be downloaded from Maven Central" in refused.output
    assert "needs the network" in refused.output
    assert "Traceback" not in refused.output
    assert not is_listening(int(environment["LOCAL_CLICKHOUSE_PORT"]))


def test_a_bad_port_is_reported(run: MakeRun) -> None:
    refused = run(LOCAL_HTTP_PORT="http")

    assert refused.process.wait(60) == 1
    assert "LOCAL_HTTP_PORT is 'http', and must be a number from 1 to 65535." in refused.output


def test_a_directory_that_cannot_be_created_is_reported(run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run(LOCAL_DIR=str(tmp_path / "file" / "local"))

    assert refused.process.wait(60) == 1
    assert "Not a directory" in refused.output
    assert "Traceback" not in refused.output

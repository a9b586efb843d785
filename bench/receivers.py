"""`python -m bench.receivers`: events a second and CPU time of each receiver, with the service on one processor.

Broker and clients have another processor. With `--victoria-logs PROGRAM` the same events are posted to VictoriaLogs,
on the same processor, in turn with the service.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.errors import BenchError
from bench.machine import interpreter
from bench.processes import cpu_secs
from bench.receiver_bodies import PROTOCOLS, Protocol
from bench.receiver_clients import post_for, request_of
from bench.report import table, write_results
from bench.service import Program, running_service
from bench.stack import BenchStack, running_stack
from bench.workload import backlog_events
from local.ports import LOOPBACK, free_port

_NAME: Final = "receivers"
_BATCHES: Final = (1, 100, 1000)
_REQUESTS: Final = 20
"""Different requests of a size, posted in turn."""
_CLIENTS: Final = 8
_WARM_UP_SECS: Final = 2.0
_SECS, _QUICK_SECS = 8, 1
_START_SECS: Final = 30.0
_SETTINGS: Final = {"ROLES": "receive", "RECEIVE_MAX_SHARE_PERCENT": "100"}


@dataclass(frozen=True, slots=True)
class Server:
    """A process that logs are posted to."""

    name: str
    pid: int
    port: int
    paths: Mapping[str, str]
    """By the name of the protocol."""


@dataclass(frozen=True, slots=True)
class Found:
    """A measurement."""

    server: str
    protocol: str
    batch: int
    events_per_sec: float
    cpu_secs_per_million: float
    cores: float


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.receivers", description="Throughput of the receivers.")
    names = [protocol.name for protocol in PROTOCOLS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these receivers")
    parser.add_argument("--batches", nargs="+", type=positive, default=list(_BATCHES), help="events of a request")
    parser.add_argument("--secs", type=positive, default=_SECS, help=f"of each measurement (default: {_SECS})")
    parser.add_argument("--victoria-logs", type=Path, help="program to compare with, as `go install` makes it")
    parser.add_argument("--quick", action="store_true", help="a second each, to see that it works; nothing is stored")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.secs = _QUICK_SECS
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)
    own, others = _processors()
    found: list[Found] = []
    with _on(others), running_stack() as stack, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as helper:
        stack.create_topic(_NAME)
        with _servers(stack, options, own) as servers:
            for protocol in (protocol for protocol in PROTOCOLS if protocol.name in options.only):
                for batch in options.batches:
                    bodies = _bodies(protocol, batch)
                    for server in servers:
                        found.append(_measured(helper, server, protocol, batch, bodies, options.secs, others))
                        print(_line(found[-1]), flush=True)
        command = ["bench.receivers", "--secs", str(options.secs)]
        command += ["--victoria-logs", "victoria-logs"] * bool(options.victoria_logs)
        with _on([*own, *others]):  # the machine has all of them
            about = circumstances(stack, command) | {"service": interpreter(options.service_python)}
    text = "\n".join(_page(about, found, options)) + "\n"
    print(f"\n{text}")
    if not options.quick and options.only == [protocol.name for protocol in PROTOCOLS]:
        for path in write_results(options.results, _NAME, text, {**about, "found": [_as_json(one) for one in found]}):
            print(f"Written: {path}")
    return 0


def _processors() -> tuple[Sequence[int], Sequence[int]]:
    """One for the server, and the others.

    Raises:
        BenchError: there is only one.
    """
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        raise BenchError("two processors are needed: one for the server, one for broker and clients")
    return [first], others


@contextmanager
def _on(cpus: Sequence[int]) -> Iterator[None]:
    """What is started inside runs on these processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _servers(stack: BenchStack, options: argparse.Namespace, cpus: Sequence[int]) -> Iterator[Sequence[Server]]:
    program = Program(options.service_python)
    with _on(cpus), running_service(stack, program, _NAME, _NAME, _SETTINGS) as service:
        service.wait_until(lambda _: service.get("/ready").status == 200, _START_SECS)
        paths = {protocol.name: protocol.path for protocol in PROTOCOLS}
        servers = [Server("service", service.pid, urlsplit(service.url).port or 0, paths)]
        if options.victoria_logs is None:
            yield servers
            return
        with _victoria_logs(options.victoria_logs, stack.directory / "victoria-logs") as peer:
            yield [*servers, peer]


@contextmanager
def _victoria_logs(program: Path, directory: Path) -> Iterator[Server]:
    port = free_port()
    arguments = [f"-storageDataPath={directory}", f"-httpListenAddr={LOOPBACK}:{port}", "-retentionPeriod=10y"]
    process = subprocess.Popen([str(program), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(f"http://{LOOPBACK}:{port}/health")
        yield Server("VictoriaLogs", process.pid, port, {one.name: one.peer_path for one in PROTOCOLS})
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + _START_SECS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=_START_SECS):  # noqa: S310 - our own process
                return
        except OSError as error:
            if time.monotonic() > deadline:
                raise BenchError(f"{url} does not answer: {error}") from error
            time.sleep(0.1)


def _bodies(protocol: Protocol, batch: int) -> Sequence[bytes]:
    events = [json.loads(event) for event in islice(backlog_events(batch * _REQUESTS), batch * _REQUESTS)]
    return [protocol.body(events[first : first + batch]) for first in range(0, len(events), batch)]


def _measured(
    helper: ProcessPoolExecutor,
    server: Server,
    protocol: Protocol,
    batch: int,
    bodies: Sequence[bytes],
    secs: float,
    cpus: Sequence[int],
) -> Found:
    requests = [request_of(server.paths[protocol.name], protocol.media_type, body) for body in bodies]
    helper.submit(post_for, server.port, requests, _CLIENTS, min(secs, _WARM_UP_SECS), cpus).result()
    cpu_before, began = cpu_secs(server.pid), time.monotonic()
    acknowledged, elapsed = helper.submit(post_for, server.port, requests, _CLIENTS, secs, cpus).result()
    used, whole = cpu_secs(server.pid) - cpu_before, time.monotonic() - began
    events = acknowledged * batch
    if not events:
        raise BenchError(f"{server.name} acknowledged nothing in {secs} s")
    return Found(server.name, protocol.name, batch, events / elapsed, used / events * 1e6, used / whole)


def _line(found: Found) -> str:
    return (
        f"{found.server}, {found.protocol}, {found.batch:,} events a request: {found.events_per_sec:,.0f} events/s,"
        f" {found.cpu_secs_per_million:.1f} CPU s per million, {found.cores:.2f} cores"
    )


def _as_json(found: Found) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Found.__slots__}


def _page(about: Mapping[str, Any], found: Sequence[Found], options: argparse.Namespace) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in about["service"]["packages"].items())
    yield "# Receivers"
    yield ""
    for name, text in circumstances_as_context(about).items():
        yield f"- {name}: {text}"
    yield f"- Service: Python {about['service']['python']}, {packages}"
    yield (
        f"- One processor for each server, another for Kafka and {_CLIENTS} clients, which post {_REQUESTS} requests in"
        f" turn and wait for each response; {options.secs} s each, after a warm-up. Settings:"
        f" {', '.join(f'`{name}={value}`' for name, value in _SETTINGS.items())}."
    )
    yield "- The service responds when Kafka has the events, VictoriaLogs when it has them in memory."
    yield (
        "- Cores are what the server used of its processor. Where that is less than one, it waited for Kafka, the"
        " clients, or other work on the machine: then CPU time says more than events/s."
    )
    yield ""
    headings = ["Receiver, events a request", "Events/s", "CPU s per million", "Cores", "Aim, events/s"]
    peer_headings = ["VictoriaLogs, events/s", "CPU s per million"]
    by_key = {(one.server, one.protocol, one.batch): one for one in found}
    has_peer = any(one.server != "service" for one in found)
    rows = []
    for protocol in PROTOCOLS:
        for batch in options.batches:
            if (own := by_key.get(("service", protocol.name, batch))) is None:
                continue
            cells = [f"{protocol.label}, {batch:,}", *_cells(own), f"{own.cores:.2f}", _verdict(protocol, own)]
            rows.append([*cells, *_cells(by_key["VictoriaLogs", protocol.name, batch])] if has_peer else cells)
    yield from table([*headings, *peer_headings] if has_peer else headings, rows)


def _cells(found: Found) -> Sequence[str]:
    return f"{found.events_per_sec:,.0f}", f"{found.cpu_secs_per_million:,.1f}"


def _verdict(protocol: Protocol, found: Found) -> str:
    if protocol.aim is None or found.batch != max(_BATCHES):
        return ""
    return f"{protocol.aim:,}: {'met' if found.events_per_sec >= protocol.aim else 'MISSED'}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

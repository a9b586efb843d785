"""Runs the service for the bench: as shipped, except for its topic and table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.errors import BenchError
from bench.stack import PARTITIONS, BenchStack
from bench.workload import send_steadily
from local.paths import ROOT
from local.service import ServiceProcess, clean_environment

_TIMEOUT_SECS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """The program that runs as the service: `python -m module`, started in the directory with its code."""

    python: str = sys.executable
    module: str = "app"
    directory: Path = ROOT


def environment(
    stack: BenchStack, topic: str, table: str, settings: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Environment with which the service reads this topic, with its own group, into this table.

    `settings` are further ones, and count before these.
    """
    return clean_environment(
        os.environ,
        {
            "KAFKA_BOOTSTRAP_SERVERS": stack.kafka.bootstrap_servers,
            "KAFKA_TOPIC": topic,
            # New each time: a group that read the topic into a dropped table of this name would continue after it.
            "KAFKA_GROUP_ID": f"bench-{table}-{time.time_ns()}",
            "CLICKHOUSE_URL": stack.engine.url,
            "CLICKHOUSE_DATABASE": stack.clickhouse_settings(table).database,
            "CLICKHOUSE_TABLE": table,
            **settings,
        },
    )


@contextmanager
def running_service(
    stack: BenchStack, program: Program, topic: str, table: str, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[ServiceProcess]:
    """Run the service on a topic and a table, see `environment`; it is stopped afterwards."""
    service = ServiceProcess(
        environment(stack, topic, table, settings),
        stack.directory / f"{table}.log",
        python=program.python,
        directory=program.directory,
        module=program.module,
    )
    try:
        service.start()
        yield service
    finally:
        service.stop()


@contextmanager
def running_group(
    stack: BenchStack,
    program: Program,
    topic: str,
    table: str,
    instances: int,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Sequence[ServiceProcess]]:
    """Run several instances of the service in one group; they start at the same time, and are stopped afterwards."""
    environ = environment(stack, topic, table, settings)
    services = [
        ServiceProcess(
            environ, stack.directory / f"{table}-{number}.log", python=program.python, directory=program.directory
        )
        for number in range(instances)
    ]
    try:
        for service in services:
            service.launch()
        for service in services:
            service.start()
        yield services
    finally:
        for service in services:
            service.stop()


@contextmanager
def fed_service(
    stack: BenchStack, program: Program, table: str, rate: int, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[ServiceProcess]:
    """Run the service while another process sends `rate` events per second, which it stores in a table.

    `settings` are further ones of the service.

    Raises:
        BenchError: the sender ended too early.
    """
    topic = f"{table}-{time.time_ns()}"
    stack.create_topic(topic)
    with running_service(stack, program, topic, table, settings) as service:
        service.wait_until(lambda scrape: scrape.assigned == PARTITIONS, _TIMEOUT_SECS)
        sender = get_context("spawn").Process(
            target=send_steadily, args=(stack.kafka.bootstrap_servers, topic, rate, 86_400.0), daemon=True
        )
        sender.start()
        try:
            service.wait_until_stored(rate, _TIMEOUT_SECS)
            yield service
            if not sender.is_alive():
                raise BenchError("the sender ended early: there was no load")
        finally:
            sender.kill()
            sender.join()

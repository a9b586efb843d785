"""The service as the bench runs it: as it is shipped, but for where it reads and writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.stack import BenchStack
from local.service import ServiceProcess, clean_environment


def environment(stack: BenchStack, topic: str, table: str) -> dict[str, str]:
    """What makes the shipped service read this topic, as a group of its own, into this table."""
    return clean_environment(
        os.environ,
        {
            "KAFKA_BOOTSTRAP_SERVERS": stack.kafka.bootstrap_servers,
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP_ID": f"bench-{table}",
            "CLICKHOUSE_URL": stack.engine.url,
            "CLICKHOUSE_DATABASE": stack.clickhouse_settings(table).database,
            "CLICKHOUSE_TABLE": table,
        },
    )


@contextmanager
def running_service(
    stack: BenchStack, python: str, topic: str, table: str, *, module: str = "app"
) -> Iterator[ServiceProcess]:
    """The service on a topic and a table, stopped afterwards; `module` is what Python runs."""
    log_file = stack.directory / f"{table}.log"
    service = ServiceProcess(environment(stack, topic, table), log_file, python=python, module=module)
    try:
        service.start()
        yield service
    finally:
        service.stop()

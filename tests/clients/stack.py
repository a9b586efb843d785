"""The service between real Kafka and the real engine, for the programs that send logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.ports import free_port
from local.service import ServiceProcess
from tests.e2e.pipeline import Pipeline, wait_until
from tests.support.certificates import Authority
from tests.support.recipes import HTTP_PORT, KAFKA_PORT, SYSLOG_PORT, SYSLOG_TLS_PORT, placed, snippet

_SETTINGS = {"ROLES": "ingest,query,receive", "BATCH_MAX_AGE_SECS": "0.2"}


class Stack:
    """One instance with all roles, its topic and its table. Tests share it: each finds its rows by their values."""

    def __init__(self, pipeline: Pipeline, directory: Path) -> None:
        self.pipeline = pipeline
        self._ports = {SYSLOG_PORT: free_port(), SYSLOG_TLS_PORT: free_port()}
        authority = Authority(directory)
        self.authority = authority.certificate
        """What signed the certificate of syslog over TLS."""
        certificate = authority.sign("server")
        syslog = {
            "SYSLOG_PORT": self._ports[SYSLOG_PORT],
            "SYSLOG_UDP_PORT": self._ports[SYSLOG_PORT],
            "SYSLOG_TLS_PORT": self._ports[SYSLOG_TLS_PORT],
            "SYSLOG_TLS_CERT_FILE": certificate.certificate,
            "SYSLOG_TLS_KEY_FILE": certificate.key,
        }
        self.service: ServiceProcess = pipeline.start_service(
            **_SETTINGS, **{name: str(value) for name, value in syslog.items()}
        )
        wait_until(lambda: self.service.get("/ready").status == 200, "ready")

    @property
    def url(self) -> str:
        """Where logs are sent over HTTP."""
        return self.service.url

    @property
    def kafka(self) -> str:
        """Host and port of the broker."""
        return self.pipeline.kafka.bootstrap_servers

    @property
    def ports(self) -> Mapping[int, int]:
        """The real ports, by those of the snippets."""
        return {
            HTTP_PORT: urlsplit(self.url).port or 0,
            KAFKA_PORT: int(self.kafka.rpartition(":")[2]),
            **self._ports,
        }

    def recipe(self, heading: str, language: str) -> str:
        """The snippet of docs/recipes.md under a heading, with the addresses of this stack."""
        return placed(snippet(heading, language), self.ports)

    def recipe_of_kafka(self, heading: str, language: str) -> str:
        """The same of a snippet that writes to the topic, with the topic of this stack."""
        text, topic = self.recipe(heading, language), self.pipeline.topic
        assert re.search(r'"logs"|-t logs', text), text
        return text.replace('"logs"', f'"{topic}"').replace("-t logs", f"-t {topic}")

    def rows(self, where: str, count: int) -> list[dict[str, Any]]:
        """The rows for which an SQL condition holds, oldest first, once there are `count`; more fail the test."""
        sql = f"FROM logs.logs WHERE {where}"
        wait_until(lambda: self._count(sql) >= count, f"{count} rows where {where}, and not {self._count(sql)}", 30)
        found = self.pipeline.query(f"SELECT * {sql} ORDER BY Timestamp, _partition, _offset, _item")
        assert len(found) == count, found
        return found

    def _count(self, sql: str) -> int:
        return int(self.pipeline.query(f"SELECT count() AS rows {sql}")[0]["rows"])

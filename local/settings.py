"""Settings of the local stack: ports, folder, sample logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError

_MAX_PORT = 65535


@dataclass(frozen=True)
class LocalSettings:
    """Two stacks can run side by side if all three ports and the directory differ."""

    directory: Path = Path(".local")
    cache: Path = Path(".local/cache")
    kafka_port: int = 9092
    clickhouse_port: int = 8123
    http_port: int = 8080

    @property
    def password_file(self) -> Path:
        """The file that keeps ClickHouse's password."""
        return self.directory / "clickhouse-password"

    @property
    def receipt_key_file(self) -> Path:
        """The file that keeps RECEIVE_KEY, so that receipts count after a restart too."""
        return self.directory / "receive-key"

    @property
    def environment_file(self) -> Path:
        """The file with what commands need to know of the stack, for a shell to read."""
        return self.directory / "env"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> LocalSettings:
        """LOCAL_DIR, LOCAL_CACHE_DIR (of Kafka's jars), LOCAL_KAFKA_PORT, LOCAL_CLICKHOUSE_PORT, LOCAL_HTTP_PORT.

        Raises:
            LocalError: a value that is no port, or the same port twice.
        """
        directory = Path(environ.get("LOCAL_DIR") or cls.directory)
        settings = cls(
            directory,
            Path(environ.get("LOCAL_CACHE_DIR") or directory / "cache"),
            _port(environ, "LOCAL_KAFKA_PORT", cls.kafka_port),
            _port(environ, "LOCAL_CLICKHOUSE_PORT", cls.clickhouse_port),
            _port(environ, "LOCAL_HTTP_PORT", cls.http_port),
        )
        if len({settings.kafka_port, settings.clickhouse_port, settings.http_port}) < 3:
            raise LocalError(
                "LOCAL_KAFKA_PORT, LOCAL_CLICKHOUSE_PORT and LOCAL_HTTP_PORT must be three different ports."
            )
        return settings


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MAX_PORT):
        raise LocalError(f"{name} is {text!r}, and must be a number from 1 to {_MAX_PORT}.")
    return int(text)

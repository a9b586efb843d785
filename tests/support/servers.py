"""Interfaces of a shared broker or engine, whether started by the tests or external."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from app.settings import ClickHouseSettings


class RunningKafka(Protocol):
    """A broker that tests share: they use topics of their own and leave it running."""

    @property
    def bootstrap_servers(self) -> str: ...


class RunningEngine(Protocol):
    """A ClickHouse that tests share: they use tables of their own and leave it running."""

    @property
    def url(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def password(self) -> str: ...


def clickhouse_settings(engine: RunningEngine, database: str, **others: Any) -> ClickHouseSettings:
    """The service's settings for a database on a running engine; `others` are further settings."""
    login = {"user": engine.user or "default", "password": engine.password}
    return ClickHouseSettings(**{"url": engine.url, "database": database, **login, **others})


@dataclass(frozen=True)
class GivenKafka:
    """An external broker."""

    bootstrap_servers: str


@dataclass(frozen=True)
class GivenEngine:
    """An external ClickHouse."""

    url: str
    user: str
    password: str

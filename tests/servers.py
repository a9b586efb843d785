"""What tests see of a shared broker or engine, whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True)
class GivenKafka:
    """A broker that somebody else runs."""

    bootstrap_servers: str


@dataclass(frozen=True)
class GivenEngine:
    """A ClickHouse that somebody else runs."""

    url: str
    user: str
    password: str

"""The receivers over a publisher in memory, and the rows that the consumer makes of what they send."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from app.access.principal import Right
from app.access.tokens import Token, Tokens, digest_of
from app.api.app import create_app
from app.api.authentication import Authenticator, CredentialAuthenticator, by_token
from app.api.routes import matcher
from app.build.decoder import build_decoder
from app.build.receive import build_receive
from app.domain.records import Partition, RecordChunk
from app.environment import read_settings
from app.explain.explainer import row_object
from app.health import Health
from app.http.lane import Lane
from app.metrics import Metrics
from app.settings import Settings
from app.telemetry.receive import PART
from tests.fakes import MemoryPublisher
from tests.support.token_secrets import secret_of

KEY = "k" * 32
SHIPPER, READER = secret_of("shipper"), secret_of("reader")
"""Secrets of tokens that may send logs, and that may not; see `token_needed`."""


def token_needed() -> Authenticator:
    """Lets pass who has one of these tokens."""
    tokens = Tokens(
        [
            Token("shipper", (Right.INGEST,), digest_of(SHIPPER)),
            Token("reader", (Right.READ,), digest_of(READER)),
        ]
    )
    return CredentialAuthenticator([by_token(lambda secret: tokens.of_secret(secret, datetime.now(UTC)))])


def rows_of(publisher: MemoryPublisher, settings: Settings) -> list[dict[str, Any]]:
    """The rows of all records, as the API shows them, in the order of partitions and offsets."""
    found = []
    for record in publisher.records:
        chunk = RecordChunk(Partition("logs", 0), "id", [0], [1_795_960_800_000], [record.value], [record.headers], 1)
        rows = build_decoder(settings)(chunk).rows
        found += [row_object(rows.slice(number, 1)) for number in range(rows.num_rows)]
    return found


@dataclass
class Receivers:
    """An instance with the role `receive` in memory."""

    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    authenticator: Authenticator | None = None
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = read_settings({"RECEIVE_KEY": KEY, "RECEIVE_TIMEOUT_SECS": "0.5", **self.environ})
        self.metrics = Metrics(CollectorRegistry(), version="0")
        self._parts = build_receive(self.settings, self.metrics, new_publisher=lambda _: self.publisher)
        self.component = self._parts.component
        self.described = self._parts.described

    @cached_property
    def application(self) -> Flask:
        """Made when it is needed: whoever only describes the receivers needs none."""
        return create_app(Health(), self.metrics.registry, *self._parts.routes, authenticator=self.authenticator)

    @cached_property
    def lane(self) -> Lane:
        """What of the application only these receivers' threads serve."""
        return Lane(matcher(self.application, chain(*self._parts.routes)), self._parts.threads)

    def post(self, path: str, body: bytes | str = b"", media_type: str = "", **headers: str) -> TestResponse:
        """POST a body; names of headers are written with `_`."""
        return self.request("POST", path, body, media_type, **headers)

    def request(
        self, method: str, path: str, body: bytes | str = b"", media_type: str = "", **headers: str
    ) -> TestResponse:
        """A request with any method; see `post`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.application.test_client().open(
            path, method=method, data=body, content_type=media_type or None, headers=given
        )

    def connected(self) -> None:
        """Kafka can be reached, as far as the health of the receivers knows."""
        self.component.health.report(PART, None)

    def rows(self) -> list[dict[str, Any]]:
        """The rows of all records that were sent, as the API shows them, in the order of partitions and offsets."""
        return rows_of(self.publisher, self.settings)

    def count(self, outcome: str, receiver: str) -> float:
        """How many events of a receiver had this outcome."""
        labels = {"receiver": receiver, "outcome": outcome}
        return self.metrics.registry.get_sample_value("log_receive_events_total", labels) or 0.0

"""The role `receive`: logs over HTTP, put on the topic."""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from pydantic import SecretStr

from app.api.admission import Admission, QuerySlots
from app.api.endpoint import Endpoint
from app.api.memory import BodyMemory
from app.api.query_routes import PREFIX
from app.api.receivers import (
    datadog,
    elasticsearch,
    elasticsearch_document,
    elasticsearch_probes,
    gelf,
    json_logs,
    loki,
    otlp,
    pubsub,
    splunk,
)
from app.api.receivers.receiver import Receiver
from app.backends.kafka.publisher import KafkaPublisher
from app.backends.kafka.topic import TopicAdmin
from app.build.syslog import build_syslog
from app.component import Component
from app.health import Health
from app.metrics import Metrics
from app.ports import LogPublisher
from app.receive.intake import Intake
from app.receive.publishing import Publishing
from app.service import submit_to_thread
from app.settings import Settings
from app.telemetry.receive import PART, ReceiveTelemetry

_LINGER_SECS: Final = 0.005
_COMPRESSION: Final = "zstd"  # half the bytes of lz4 on the topic, for a hundredth more of the CPU time of an event
_KEY_CHARS: Final = 43
_MEMORY_BYTES: Final = 96 * 1024 * 1024
_MEMORY_TIMES: Final = 8  # so that the largest body may have what it can take (see `BodyMemory`)
_REFUSING_THREADS: Final = 2


class ReceiveParts(Struct, frozen=True):
    """The component, which closes the publisher when it stops, and the routes."""

    component: Component
    routes: Sequence[Sequence[Endpoint[Any]]]
    threads: int
    """Of their own, so that requests that wait for Kafka hold up no others."""
    listeners: Sequence[Component]
    """What listens for protocols other than HTTP; they stop before the component does."""

    @property
    def described(self) -> Sequence[Endpoint[Any]]:
        """The endpoints of our own API, for its document: other protocols have their own."""
        return [endpoint for of_protocol in self.routes for endpoint in of_protocol if endpoint.prefix == PREFIX]


def with_key(settings: Settings) -> Settings:
    """The settings with a key for receipts: without one of their own, one of this process, if it reads them too."""
    receive = settings.receive
    if receive.keys or not {"receive", "ingest"} <= set(settings.service.roles):
        return settings
    key = SecretStr(secrets.token_urlsafe(_KEY_CHARS))
    return settings.model_copy(update={"receive": receive.model_copy(update={"key": key})})


def build_receive(
    settings: Settings, metrics: Metrics, *, new_publisher: Callable[[Settings], LogPublisher] | None = None
) -> ReceiveParts:
    """The routes, and the component that keeps the publisher connected. Opens no connection."""
    limits = settings.receive
    publisher = (new_publisher or _publisher)(settings)
    telemetry = ReceiveTelemetry(metrics, health := Health(problems={PART: "not connected yet"}))
    component = Publishing(publisher, TopicAdmin(settings.kafka).ensure, health, telemetry, submit_to_thread)
    intake = Intake(publisher, key=next(iter(limits.keys), b""), timeout_secs=limits.timeout_secs)
    receiver = Receiver(intake, telemetry)
    admission = Admission(
        limits.max_concurrent, wait_secs=limits.timeout_secs, max_share=limits.max_share_percent / 100
    )
    slots = QuerySlots(admission, metrics.receive_running)
    most_bytes = limits.max_body_bytes
    endpoints: list[Endpoint[Any]] = [
        json_logs.endpoint(receiver, most_bytes),
        *datadog.endpoints(receiver, most_bytes),
        gelf.endpoint(receiver, most_bytes),
        pubsub.endpoint(receiver, most_bytes),
        *splunk.endpoints(receiver, most_bytes, is_ready=lambda: not health.problems()),
        *loki.endpoints(receiver, most_bytes),
        *otlp.endpoints(receiver, most_bytes),
        *elasticsearch.endpoints(receiver, most_bytes),
        *elasticsearch_document.endpoints(receiver, most_bytes),
        *elasticsearch_probes.endpoints(most_bytes),
    ]
    memory = BodyMemory(max(_MEMORY_BYTES, _MEMORY_TIMES * limits.max_body_bytes), wait_secs=limits.timeout_secs)
    # Addresses are put together from settings that people write with a slash at the end, and without.
    tolerant = (replace(one, takes_slash=True) for one in endpoints)
    limited = (
        replace(one, slots=(slots,), body=replace(one.body, memory=memory)) if one.body else one for one in tolerant
    )
    # Those that have a slot, those that wait for one, and some that find too many before them.
    threads = 2 * limits.max_concurrent + _REFUSING_THREADS
    listeners = build_syslog(settings, intake, metrics, telemetry)
    return ReceiveParts(component, [list(_counted(limited, metrics))], threads, listeners)


def _publisher(settings: Settings) -> LogPublisher:
    # A request that waits no longer must not find later that its logs were sent after all, if that can be helped.
    secs = settings.receive.timeout_secs
    return KafkaPublisher(
        settings.kafka,
        compression=_COMPRESSION,
        linger_secs=_LINGER_SECS,
        delivery_timeout_secs=secs,
        clock=time.monotonic,
    )


def _counted(endpoints: Iterable[Endpoint[Any]], metrics: Metrics) -> Iterable[Endpoint[Any]]:
    def count(name: str, status: int, secs: float) -> None:
        metrics.receive_responses.labels(name, status).inc()
        metrics.receive_duration.labels(name).observe(secs)

    return (replace(endpoint, on_response=count) for endpoint in endpoints)

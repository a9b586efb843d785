"""An instance with the role `receive` in a process of its own, whose Kafka takes everything; prints its port."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from itertools import chain

from prometheus_client import CollectorRegistry

from app.api.app import create_app
from app.api.routes import matcher
from app.api.status_routes import STATUS_PATHS
from app.build.receive import build_receive
from app.environment import read_settings
from app.health import Health
from app.http.lane import Lane
from app.http.server import HttpServer
from app.metrics import Metrics
from app.ports import OnDelivery
from app.serve import configure_memory
from local.ports import free_port

_ACKNOWLEDGED_AFTER_SECS = 0.02


class ForgetfulPublisher:
    """Acknowledges each record a little later, and keeps none."""

    def connect(self, wait_secs: float | None = None) -> int:
        return 1_000_000

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        wait_secs: float,
        on_delivery: OnDelivery,
    ) -> None:
        threading.Timer(_ACKNOWLEDGED_AFTER_SECS, on_delivery, [None]).start()

    def flush(self, timeout_secs: float) -> None:
        return

    def close(self, timeout_secs: float) -> None:
        return


def main() -> None:
    configure_memory()
    settings = read_settings({"ROLES": "receive", "RECEIVE_KEY": "k" * 32, "HTTP_PORT": str(free_port())})
    metrics = Metrics(CollectorRegistry(), version="0")
    receive = build_receive(settings, metrics, new_publisher=lambda _: ForgetfulPublisher())
    application = create_app(Health(), metrics.registry, *receive.routes)
    lane = Lane(matcher(application, chain(*receive.routes)), receive.threads)
    HttpServer(settings.http, application, STATUS_PATHS, lane=lane).start()
    sys.stdout.write(f"{settings.http.port}\n")
    sys.stdout.flush()
    sys.stdin.read()  # until the test has ended


if __name__ == "__main__":
    main()

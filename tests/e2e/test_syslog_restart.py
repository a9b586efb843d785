"""A service that is stopped while syslog comes in loses nothing that a sender gave it before it was told to stop."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from local.ports import LOOPBACK, free_port
from tests.e2e.pipeline import Pipeline

pytestmark = pytest.mark.stack


class Sender(threading.Thread):
    """Sends numbered messages until the service ends the connection, which it looks at before each, as rsyslog does."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self._connection = socket.create_connection((LOOPBACK, port), timeout=30)

    def run(self) -> None:
        with self._connection as connection:
            while not select.select([connection], [], [], 0)[0]:
                message = b"<14>1 2026-11-29T22:14:15Z web1 shop - - - message %d" % self.sent
                connection.sendall(b"%d %b" % (len(message), message))
                self.sent += 1
                time.sleep(0.0005)


def test_nothing_is_lost_when_the_service_stops(shared_pipeline: Pipeline) -> None:
    pipeline = shared_pipeline
    port = free_port()
    service = pipeline.start_service(SYSLOG_PORT=str(port))
    senders = [Sender(port) for _ in range(3)]
    for sender in senders:
        sender.start()
    time.sleep(0.5)
    service.stop()
    for sender in senders:
        sender.join(30)
    sent = sum(sender.sent for sender in senders)
    assert service.exit_code == 0, service.log
    assert sent > 100

    pipeline.start_service()
    pipeline.wait_for_rows(sent)
    assert pipeline.row_count() == sent

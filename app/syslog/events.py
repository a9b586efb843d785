"""What the listener needs of others."""

from collections.abc import Mapping
from typing import Protocol

from app.receive.received import Received, Sent


class Sends(Protocol):
    """See `app.receive.intake.Intake`."""

    def send(self, received: Received, receipt: Mapping[str, str]) -> Sent:
        """Send all events, and wait for Kafka."""


class SyslogEvents(Protocol):
    """Receives what happens to messages and connections."""

    def read(self, size: int) -> None:
        """So many bytes were read."""

    def ended(self, outcome: str, count: int) -> None:
        """Messages that were `stored`, `refused`, `dropped` or `failed`."""

    def waiting(self, error: Exception) -> None:
        """Kafka has not taken messages, which are kept and sent again."""

    def refused(self, address: str, reason: str) -> None:
        """A message of a client can never be stored; it was counted by `ended`."""

    def dropped(self, count: int) -> None:
        """Datagrams were lost: there was no room for them."""

    def problem(self, name: str, address: str) -> None:
        """Something was wrong with what a client sent, or with its connection."""

    def connections(self, count: int) -> None:
        """So many connections are open."""

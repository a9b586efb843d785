"""Finds out whether an instance has no partition because it is a standby: the group has more members than partitions.

Only the coordinator knows how many members there are. An instance without partitions asks it every `_EVERY_SECS`, on
another thread. That also shows whether Kafka answers: such an instance makes no other calls that would show it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from app.domain.group import GroupStanding
from app.errors import TryAgainLater
from app.pipeline.task import Submit
from app.ports import Group

_FIRST_SECS: Final = 5.0  # joining takes a moment, and needs no explanation
_EVERY_SECS: Final = 10.0


class StandbyEvents(Protocol):
    """Receives the state of the group while this instance has no partition."""

    def unassigned(self, standing: GroupStanding) -> None:
        """This instance has no partition, and `standing` is the state of the group."""

    def kafka_failed(self, error: TryAgainLater) -> None:
        """A call to Kafka failed."""


class StandbyWatch:
    """Reads the state of the group while this instance has no partition. Belongs to the thread of the loop."""

    def __init__(
        self,
        group: Group,
        events: StandbyEvents,
        *,
        has_partitions: Callable[[], bool],
        clock: Callable[[], float],
        submit: Submit,
    ) -> None:
        self._group = group
        self._events = events
        self._has_partitions = has_partitions
        self._clock = clock
        self._submit = submit
        self._request: Future[GroupStanding] | None = None
        self._next_request_at = clock() + _FIRST_SECS

    def turn(self) -> None:
        """Take the last result, and start the next call when it is due. Never waits."""
        if self._request is not None and self._request.done():
            request, self._request = self._request, None
            self._take(request)
        if self._request is None and not self._has_partitions() and self._clock() >= self._next_request_at:
            self._next_request_at = self._clock() + _EVERY_SECS
            self._request = self._submit(self._group.standing)

    def _take(self, request: "Future[GroupStanding]") -> None:
        if self._has_partitions():
            return  # partitions were assigned meanwhile
        try:
            self._events.unassigned(request.result())
        except TryAgainLater as error:
            self._events.kafka_failed(error)

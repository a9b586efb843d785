"""How many events one record may hold, and what becomes of the rest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from app.domain.event import Event
from app.domain.reader import MAX_ITEMS as MAX_ITEMS

TOO_MANY: Final = "packed: more events than a record may hold"

_Part = TypeVar("_Part")


class Room:
    """The events that a record may still become; one is always kept for what does not fit."""

    def __init__(self, left: int = MAX_ITEMS) -> None:
        self._left = left

    def one(self, event: Event) -> Event:
        """An event that takes its place."""
        self._left -= 1
        return event

    def each(
        self,
        parts: Sequence[_Part],
        events_of: Callable[[_Part], Iterable[Event]],
        rest_of: Callable[[Sequence[_Part]], Event],
    ) -> Iterator[Event]:
        """The events of each part, in order; without more room, one flagged event of all parts that are left."""
        for index, part in enumerate(parts):
            others = 0 if index == len(parts) - 1 else 1
            if others and self._left <= 1:
                rest = rest_of(parts[index:])
                rest.problems.append(TOO_MANY)
                yield self.one(rest)
                return
            self._left -= others
            yield from events_of(part)
            self._left += others

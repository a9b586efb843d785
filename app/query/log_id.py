"""The id of a log: its time and its identity, as one word that fits into a URL."""

import re
from typing import Final, Self

from msgspec import Struct

# Each position in the order of rows has one id, so an id is also a cursor.
_SHAPE: Final = re.compile(r"(\d{1,19})-(\d{1,5})-(\d{1,20})-(\d{1,5})-([A-Za-z0-9_-]{0,64})")

_MOST: Final = (2**63 - 1, 2**16 - 1, 2**64 - 1, 2**16 - 1)


class LogId(Struct, frozen=True, order=True):
    """A row's time (Unix epoch, nanoseconds) and identity. Ordered as results are: by time, then by identity."""

    timestamp_ns: int
    topic_id: str
    partition: int
    offset: int
    item: int

    def __str__(self) -> str:
        return f"{self.timestamp_ns}-{self.partition}-{self.offset}-{self.item}-{self.topic_id}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse an id.

        Raises:
            ValueError: the text is not an id.
        """
        found = _SHAPE.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not the id of a log")
        *numbers, topic_id = found.groups()
        # ClickHouse would truncate a number that is too large, and find another log.
        if any(int(number) > most for number, most in zip(numbers, _MOST, strict=True)):
            raise ValueError(f"{text!r} is not the id of a log")
        timestamp_ns, partition, offset, item = map(int, numbers)
        return cls(timestamp_ns, topic_id, partition, offset, item)

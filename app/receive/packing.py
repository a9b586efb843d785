"""Packs the events of a request into few records: Kafka's work, and the consumer's, is by record. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from app.receive.received import Form, Piece, Problem, Received

PACKED_BYTES: Final = 256 * 1024
"""A record holds no more events than fit into this; one event may be larger. So one request spreads over partitions,
and the consumer reads records that are small for its memory."""

MAX_EVENTS: Final = 5_000
"""Of one record; far below the number at which the consumer keeps the rest as text."""


class Packed(NamedTuple):
    """The values of records, and the events that no record may hold."""

    values: Sequence[bytes]
    problems: Sequence[Problem]


def packed(received: Received, most_bytes: int) -> Packed:
    """The values of records of at most `most_bytes`, in the order of the events."""
    fitting = [piece for piece in received.pieces if len(piece.value) <= most_bytes]
    problems = [
        Problem(piece.event + number, f"larger than a record may be ({most_bytes:,} bytes)")
        for piece in received.pieces
        if len(piece.value) > most_bytes
        for number in range(piece.events)
    ]
    return Packed(list(_values(fitting, received.form, min(PACKED_BYTES, most_bytes))), problems)


def _values(pieces: Sequence[Piece], form: Form, most_bytes: int) -> Iterator[bytes]:
    together: list[bytes] = []
    size = count = 0
    for piece in pieces:
        if together and (size + len(piece.value) > most_bytes or count + piece.events > MAX_EVENTS):
            yield form.between.join(together)
            together, size, count = [], 0, 0
        together.append(piece.value)
        size += len(piece.value) + len(form.between)
        count += piece.events
    if together:
        yield form.between.join(together)

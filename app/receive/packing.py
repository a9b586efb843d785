"""Packs the events of a request into few records: Kafka's work, and the consumer's, is by record. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from app.receive.received import TEXT, Form, Piece, Problem, Received

PACKED_BYTES: Final = 256 * 1024
"""A record holds no more events than fit into this; one event may be larger. So one request spreads over partitions,
and the consumer reads records that are small for its memory."""

MAX_EVENTS_OF_RECORD: Final = 5_000
"""Of one record; far below the number at which the consumer keeps the rest as text."""


class PackedRecord(NamedTuple):
    """A record, and how its events are written."""

    form: Form
    value: bytes


class Packed(NamedTuple):
    """Records, and the events that no record may hold."""

    records: Sequence[PackedRecord]
    problems: Sequence[Problem]


def packed(received: Received, most_bytes: int) -> Packed:
    """Records of at most `most_bytes`, in the order of the events."""
    fitting = [piece for piece in received.pieces if len(piece.value) <= most_bytes]
    problems = [
        Problem(piece.event + number, f"larger than a record may be ({most_bytes:,} bytes)")
        for piece in received.pieces
        if len(piece.value) > most_bytes
        for number in range(piece.events)
    ]
    return Packed(list(_records(fitting, received.form, min(PACKED_BYTES, most_bytes))), problems)


def _records(pieces: Sequence[Piece], form: Form, most_bytes: int) -> Iterator[PackedRecord]:
    for piece_form, of_form in groupby(pieces, key=lambda piece: piece.form or form):
        if piece_form == TEXT:
            yield from (PackedRecord(TEXT, piece.value) for piece in of_form)
        else:
            yield from (PackedRecord(piece_form, value) for value in _values(of_form, piece_form, most_bytes))


def _values(pieces: Iterable[Piece], form: Form, most_bytes: int) -> Iterator[bytes]:
    together: list[bytes] = []
    size = count = 0
    for piece in pieces:
        if together and (size + len(piece.value) > most_bytes or count + piece.events > MAX_EVENTS_OF_RECORD):
            yield form.between.join(together)
            together, size, count = [], 0, 0
        together.append(piece.value)
        size += len(piece.value) + len(form.between)
        count += piece.events
    if together:
        yield form.between.join(together)

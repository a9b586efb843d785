"""What a request or a connection brought: events, in a form that the consumer reads, and what was wrong with others."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field


class Form(NamedTuple):
    """How the events of a record are written: its content type, and what stands between two events."""

    content_type: bytes
    between: bytes


LINES: Final = Form(b"application/x-ndjson", b"\n")
"""One event a line, each of which is read like a record: JSON, a carrier, or any other text."""

OTLP: Final = Form(b"application/x-protobuf", b"")
"""ExportLogsServiceRequest: of protobuf's messages, several behind each other are one with the lists of all."""


TEXT: Final = Form(b"text/plain", b"")
"""One event a record, of one or more lines."""

MAX_EVENTS: Final = 250_000
"""Of one request: an event takes some hundred bytes of memory besides its own."""


class Problem(NamedTuple):
    """What was wrong with an event, by its number in the request from 0."""

    event: int
    reason: str
    is_kept: bool = False
    """Whether it was stored all the same, as text."""


class Piece(NamedTuple):
    """Events that stay together: the number of the first in the request, bytes, count."""

    event: int
    value: bytes
    events: int = 1
    form: Form | None = None
    """None: that of `Received`. Of `TEXT`, which puts nothing between two events, a piece becomes a record."""


class Received(Struct, frozen=True):
    """The events of a request."""

    form: Form
    pieces: Sequence[Piece]
    problems: Sequence[Problem] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    """What the protocol says of all events besides them, for the receipt, such as a tenant."""
    given: Mapping[str, str] = field(default_factory=dict)
    """What events get that do not say it themselves, by the name of the record's header (`domain.receipt.SIGNED`)."""

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(piece.events for piece in self.pieces)


class Sent(NamedTuple):
    """What became of the events of a request: how many Kafka has, and what was wrong with any."""

    stored: int
    problems: Sequence[Problem] = ()

    @property
    def refused(self) -> Mapping[int, str]:
        """The events that Kafka does not have, with the reason."""
        return {problem.event: problem.reason for problem in self.problems if not problem.is_kept}


class Posted(Struct, frozen=True):
    """A request as a receiver sees it: `body` is decompressed, names are as they were sent."""

    body: bytes
    media_type: str = ""
    charset: str = ""
    """As its Content-Type names it; empty if it does not."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class TooManyEvents(Exception):
    """The request has more events than `MAX_EVENTS`. Nothing was taken."""

    def __init__(self) -> None:
        super().__init__(f"A request may have at most {MAX_EVENTS:,} events: send fewer at a time.")


class Unreadable(Exception):
    """The body is not what the protocol prescribes; the message is a sentence for its sender. Nothing was taken."""


class TooLarge(Unreadable):
    """The body is larger, decompressed, than a request may be."""

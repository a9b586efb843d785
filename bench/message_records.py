"""Backlogs of other messages than the usual ones: shorter and longer JSON, lines of text, records of a receiver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle, islice
from typing import Any, Final

from app.ports import OnDelivery
from app.receive import otlp
from app.receive.intake import Intake
from app.receive.receipts import receipt_of
from app.receive.received import Posted
from bench.receiver_bodies import PROTOCOLS
from bench.workload import Headers, backlog_events

RECEIVE_KEY: Final = "key-of-the-receipts-in-the-bench"

Record = tuple[bytes, Headers]

_REQUEST_EVENTS: Final = 1_000
_MOST_BYTES: Final = 1_000_000  # of a record, as a topic allows by default
_LONG_TEXT_BYTES: Final = 8_000_000  # of the different long messages, which are sent in turn
_OTLP: Final = next(protocol for protocol in PROTOCOLS if protocol.name == "otlp")


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A kind of message: `records` gives those of so many events; a share of the rows of the usual kind is enough."""

    name: str
    records: Callable[[int], Iterator[Record]]
    share: float = 1.0


def _plain(values: Iterator[bytes]) -> Iterator[Record]:
    return ((value, ()) for value in values)


def _usual(count: int) -> Iterator[Record]:
    return _plain(backlog_events(count))


def _short(size_bytes: int, count: int) -> Iterator[Record]:
    """Events with a level and a message that fills the rest."""
    return _plain(_shortened(json.loads(event), size_bytes) for event in backlog_events(count))


def _shortened(event: Mapping[str, Any], size_bytes: int) -> bytes:
    empty = json.dumps({"level": event["level"], "message": ""}, separators=(",", ":"))
    text = cycle(str(event["message"]).replace('"', "'") + ", ")
    filled = "".join(islice(text, size_bytes - len(empty)))
    return json.dumps({"level": event["level"], "message": filled}, separators=(",", ":")).encode()


def _long(size_bytes: int, count: int) -> Iterator[Record]:
    """Events whose message goes on over many lines, which are messages of other events."""
    texts = cycle(_texts(size_bytes, min(count, _LONG_TEXT_BYTES // size_bytes)))
    return _plain(_lengthened(event, text, size_bytes) for event, text in zip(backlog_events(count), texts))  # noqa: B905


def _texts(size_bytes: int, count: int) -> Sequence[str]:
    lines = (f"\n    {json.loads(event)['message']}" for event in backlog_events(count * size_bytes // 20))
    return ["".join(_until(lines, size_bytes)) for _ in range(count)]


def _until(lines: Iterator[str], size_bytes: int) -> Iterator[str]:
    size = 0
    for line in lines:
        if (size := size + len(line)) > size_bytes:
            return
        yield line


def _lengthened(event: bytes, text: str, size_bytes: int) -> bytes:
    return json.dumps(json.loads(event) | {"message": text[: size_bytes - len(event)]}, separators=(",", ":")).encode()


def _lines(count: int) -> Iterator[Record]:
    return _plain(_line(json.loads(event)) for event in backlog_events(count))


def _line(event: Mapping[str, Any]) -> bytes:
    return f"{event['timestamp']} {event['level']} [{event['service']}] {event['message']}".encode()


def _received(count: int) -> Iterator[Record]:
    """Records in which the receiver of OTLP puts the events of its requests on the topic, with their receipts."""
    events = map(json.loads, backlog_events(count))
    requests = iter(lambda: list(islice(events, _REQUEST_EVENTS)), [])
    return chain.from_iterable(_records_of(_OTLP.body(request)) for request in requests)


def _records_of(body: bytes) -> Sequence[Record]:
    kept = _Kept()
    intake = Intake(kept, key=RECEIVE_KEY.encode(), timeout_secs=1.0)
    receipt = receipt_of("otlp", address="10.0.0.1", request_id="4bf92f3577b34da6a3ce929d0e0e4736")
    intake.send(otlp.read(Posted(body, media_type=_OTLP.media_type)), receipt)
    return kept.records


class _Kept:
    """A publisher that keeps what it is given. See `ports.LogPublisher`."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def connect(self, wait_secs: float | None = None) -> int:
        return _MOST_BYTES

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        wait_secs: float,
        on_delivery: OnDelivery,
    ) -> None:
        self.records.append((value, headers))
        on_delivery(None)

    def flush(self, timeout_secs: float) -> None:
        """Nothing is in flight."""

    def close(self, timeout_secs: float) -> None:
        """Nothing is open."""


MESSAGE_KINDS: Final = (
    MessageKind("JSON, 60 B", partial(_short, 60)),
    MessageKind("JSON, 240 B", _usual),
    MessageKind("JSON, 2 KB", partial(_long, 2_000), share=0.2),
    MessageKind("JSON, 20 KB", partial(_long, 20_000), share=0.02),
    MessageKind("lines of text", _lines),
    MessageKind("OTLP, as received", _received),
)

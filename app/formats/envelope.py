"""What a record's key and headers say about its events. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.receipt import HEADER as RECEIPT
from app.domain.receipt import NO_RECEIPTS, ReceiptReader
from app.domain.records import Headers
from app.domain.times import zone_named
from app.domain.trace_ids import context_of
from app.formats import ndjson
from app.formats.carriers import otlp_protobuf
from app.formats.kept_headers import KeptParts

_FIELD_OF: Final = {"service.name": "service", "host.name": "host"}
_CONTEXT: Final = "traceparent"
_TIMEZONE: Final = "timezone"
_CONTENT_TYPE: Final = "content-type"
_OWN_TYPES: Final = frozenset((ndjson.CONTENT_TYPE, *otlp_protobuf.CONTENT_TYPES))

HEADER_OF: Final = {"service": "service.name", "host": "host.name", "trace_id": _CONTEXT, "span_id": _CONTEXT}
"""The header that gives a field to events that lack it."""


class Envelope(NamedTuple):
    """What a record says about all its events, besides its value."""

    fields: Mapping[str, Any] = {}  # for events that lack them
    timezone: str = ""  # as it was named, of times that state no zone; "" if it was not
    zone: ZoneInfo | None = None  # the same, None also if the tz database has no such zone
    content_type: bytes = b""  # of those that say how the value is read
    kept: Sequence[tuple[str, str]] = ()  # attributes of all events
    receipt: Sequence[tuple[str, str]] = ()  # attributes of all events, which come before their own
    is_proven: bool = False  # whether the receipt is from a receiver of ours

    def fill(self, fields: dict[str, Any]) -> list[str]:
        """Give an event the fields that it lacks, and return their names."""
        lacking = [name for name in self.fields if fields.get(name) in (None, "")]
        for name in lacking:
            fields[name] = self.fields[name]
        return lacking


NOTHING_SAID: Final = Envelope()


def read_envelopes(
    headers: Sequence[Headers],
    keys: Sequence[bytes | None] | None = None,
    kept: KeptParts | None = None,
    values: Sequence[bytes | None] | None = None,
    receipts: ReceiptReader = NO_RECEIPTS,
) -> Iterator[Envelope]:
    """The envelope of each record; `NOTHING_SAID` itself if nothing is understood or kept.

    Records that follow each other often have the same headers, which are then read once. A receipt is of one value.
    """
    last: Headers = ()
    of_last = NOTHING_SAID
    has_receipt = False
    for number, of_record in enumerate(headers):
        if of_record != last:
            last, of_last = of_record, _read(of_record, kept)
            has_receipt = any(name == RECEIPT for name, _ in of_record)
        envelope = of_last
        if has_receipt and values is not None:
            said, is_proven = receipts.read(of_record, values[number])
            envelope = envelope._replace(receipt=said, is_proven=is_proven)
        if kept is not None and keys is not None and (pairs := kept.of_key(keys[number])):
            envelope = envelope._replace(kept=[*pairs, *of_last.kept])
        yield envelope


def _read(headers: Headers, kept: KeptParts | None) -> Envelope:
    first: dict[str, str] = {}
    for name, value in headers:
        if (name := name.lower()) in _UNDERSTOOD and name not in first:
            first[name] = (value or b"").decode(errors="replace").strip()
    timezone = first.get(_TIMEZONE, "")
    content_type = first.get(_CONTENT_TYPE, "").partition(";")[0].strip().lower().encode(errors="replace")
    found = Envelope(
        _fields(first),
        timezone,
        zone_named(timezone) if timezone else None,
        content_type if content_type in _OWN_TYPES else b"",
        kept.of_headers(headers) if kept is not None else (),
    )
    return NOTHING_SAID if found == NOTHING_SAID else found


_UNDERSTOOD: Final = frozenset((*_FIELD_OF, _CONTEXT, _TIMEZONE, _CONTENT_TYPE))


def _fields(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """The fields that headers give to events that lack them."""
    found = {field: headers[name] for name, field in _FIELD_OF.items() if headers.get(name)}
    if context := headers.get(_CONTEXT):
        ids = zip(("trace_id", "span_id"), context_of(context), strict=True)
        found |= {field: text for field, text in ids if text}
    return found

"""Loki's push: streams of lines, as JSON, or as protobuf in a block of snappy. Pure."""

from typing import Final

from app.receive import loki_json, loki_protobuf
from app.receive.loki_stream import pieces_of
from app.receive.received import LINES, Posted, Received

JSON: Final = "application/json"
_BEGINS_JSON: Final = b'{"'
"""Which no block of snappy does: its second byte would copy what is not there yet."""
_TENANT: Final = "x-scope-orgid"


def read(posted: Posted, max_bytes: int) -> Received:
    """The events of a push, as lines of Loki's JSON. One of no streams has none.

    `max_bytes` is the most that a block of snappy may hold.

    Raises:
        Unreadable: it is no push, or an entry of it is none.
        TooLarge: it holds more than `max_bytes`.
        TooManyEvents: there are too many.
    """
    is_json = posted.media_type == JSON or posted.body.startswith(_BEGINS_JSON)
    streams = loki_json.streams_of(posted.body) if is_json else loki_protobuf.streams_of(posted.body, max_bytes)
    tenant = next((text for name, text in posted.headers.items() if name.lower() == _TENANT), "")
    return Received(LINES, list(pieces_of(streams)), said={"tenant": tenant} if tenant else {})

"""Loki's push: streams of lines, as JSON, or as protobuf in a block of snappy. Pure."""

from typing import Final

from app.receive import loki_json, loki_protobuf
from app.receive.loki_stream import pieces_of
from app.receive.received import LINES, Posted, Received, Unreadable

JSON: Final = "application/json"
_BEGINS_JSON: Final = b'{"'
"""Which no block of snappy does: its second byte would copy what is not there yet. Nor does any message of protobuf."""
_TENANT: Final = "x-scope-orgid"
_MOST_TENANT_CHARS: Final = 150
"""As in Loki."""


def unpacked(media_type: str, body: bytes, max_bytes: int) -> bytes:
    """The message of a body, which is JSON or a block of snappy.

    Raises:
        Unreadable: it is neither.
        TooLarge: it holds more than `max_bytes`.
    """
    return body if _is_json(media_type, body) else loki_protobuf.decompressed(body, max_bytes)


def read(posted: Posted) -> Received:
    """The events of a push that is unpacked, as lines of Loki's JSON. One of no streams has none.

    Raises:
        Unreadable: it is no push, an entry of it is none, or the name of the tenant is too long.
        TooManyEvents: there are too many.
    """
    said = _said(posted)
    is_json = _is_json(posted.media_type, posted.body)
    streams = loki_json.streams_of(posted.body) if is_json else loki_protobuf.streams_of(posted.body)
    return Received(LINES, list(pieces_of(streams)), said=said)


def _is_json(media_type: str, body: bytes) -> bool:
    return media_type == JSON or body.startswith(_BEGINS_JSON)


def _said(posted: Posted) -> dict[str, str]:
    """What the receipt says of the tenant."""
    tenant = next((text for name, text in posted.headers.items() if name.lower() == _TENANT), "")
    if len(tenant) > _MOST_TENANT_CHARS:
        raise Unreadable(f"The tenant of X-Scope-OrgID has more than {_MOST_TENANT_CHARS} characters.")
    return {"tenant": tenant} if tenant else {}

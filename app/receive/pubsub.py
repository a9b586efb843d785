"""Messages that Google Pub/Sub pushes, wrapped in JSON or not, such as the entries of a sink of Cloud Logging. Pure.

Source: cloud.google.com/pubsub/docs/push, "Receive messages", and cloud.google.com/pubsub/docs/payload-unwrapping.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Final

import msgspec

from app.receive.received import TEXT, Piece, Posted, Problem, Received

NOT_BASE64: Final = "the data is not base64: the whole push was stored as text"

_HEADER: Final = "x-goog-pubsub-"
_OF_HEADER: Final = {
    "message-id": "message.id",
    "publish-time": "message.time",
    "ordering-key": "message.ordering_key",
    "subscription-name": "subscription",
}
_ATTRIBUTE: Final = "message.attribute."


class _Message(msgspec.Struct, rename="camel"):
    data: str = ""
    attributes: dict[str, str] | None = None
    message_id: str = ""
    publish_time: str = ""
    ordering_key: str = ""


class _Push(msgspec.Struct, rename="camel"):
    message: _Message
    subscription: str
    delivery_attempt: int | None = None


_push: Final = msgspec.json.Decoder(_Push).decode


def read(posted: Posted) -> Received:
    """The message of a push: its data as they are, and what Pub/Sub says of them for the receipt.

    Nothing is refused, as Pub/Sub would send it again for ever: a body that is no wrapped message is an unwrapped one,
    and one whose data cannot be decoded is stored whole.
    """
    try:
        push = _push(posted.body)
    except (ValueError, RecursionError):
        return _of_data(posted.body, _said_by_headers(posted.headers))
    said = _said_by(push)
    try:
        data = base64.b64decode(push.message.data, validate=True)
    except (binascii.Error, ValueError):
        return Received(TEXT, [Piece(0, posted.body)], [Problem(0, NOT_BASE64, is_kept=True)], said)
    if not data and push.message.attributes:
        data = json.dumps({"attributes": push.message.attributes}).encode()
    return _of_data(data, said)


def _of_data(data: bytes, said: Mapping[str, str]) -> Received:
    """One event, or none if there are no data."""
    return Received(TEXT, [Piece(0, data)] if data.strip() else [], (), said)


def _said_by(push: _Push) -> Mapping[str, str]:
    message = push.message
    said = {
        "message.id": message.message_id,
        "message.time": message.publish_time,
        "message.ordering_key": message.ordering_key,
        "subscription": push.subscription,
        "delivery.attempt": str(push.delivery_attempt or ""),
        **{_ATTRIBUTE + name: text for name, text in (message.attributes or {}).items()},
    }
    return {name: text for name, text in said.items() if text}


def _said_by_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """What the headers of a push without a wrapper say, if the subscription writes metadata."""
    lowered = {name.lower(): text for name, text in headers.items()}
    return {said: text for name, said in _OF_HEADER.items() if (text := lowered.get(_HEADER + name))}

"""Datadog's intake of logs: a JSON object, an array or lines of them, or lines of text.

Source: docs.datadoghq.com/api/latest/logs, "Send logs".
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from app.receive import json_logs
from app.receive.received import LINES, Piece, Posted, Received

_PARAMETERS: Final = ("ddsource", "ddtags", "service", "hostname")
_MARKS: Final = ("ddsource", "ddtags")
"""A log without either gets the first one, empty, by which the consumer knows what it is; see its carrier."""

_keys: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read(posted: Posted) -> Received:
    """The logs of a body; the parameters of the URL count for those that have none of their own.

    An empty object is none: the agent sends one at its start, to see whether it is heard.

    Raises:
        Unreadable: the body is empty, or JSON that is not complete.
        TooManyEvents: there are too many.
    """
    if posted.body.strip() == b"{}":
        return Received(LINES, ())
    received = json_logs.read(posted)
    given = {name: posted.parameters[name] for name in _PARAMETERS if posted.parameters.get(name)}
    return replace(received, pieces=[_marked(piece, given) for piece in received.pieces])


def _marked(piece: Piece, given: Mapping[str, str]) -> Piece:
    """A log with what it lacks; a text as the message of one."""
    value = piece.value
    try:
        keys = _keys(value)
    except (ValueError, RecursionError):
        if value.lstrip()[:1] == b"{":  # read leniently, as what it is
            return piece
        text = value.decode(errors="surrogateescape")
        line = json.dumps({**_lacking({}, given), "message": text}, ensure_ascii=False)
        return Piece(piece.event, line.encode(errors="surrogateescape"))
    if not (more := _lacking(keys, given)):
        return piece
    separator = b"," if keys else b""
    return piece._replace(value=b"%b%b%b" % (value.rstrip()[:-1], separator, json.dumps(more)[1:].encode()))


def _lacking(keys: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, str]:
    more = {name: text for name, text in given.items() if name not in keys}
    has_mark = any(name in keys or name in more for name in _MARKS)
    return more if has_mark else {**more, _MARKS[0]: ""}

"""Graylog's GELF over HTTP: a JSON object, or several, one a line. Pure.

Source: go2docs.graylog.org, "GELF via HTTP". What an object means is the consumer's to read; see its carrier.
"""

from typing import Final

from msgspec.structs import replace

from app.receive import json_logs
from app.receive.received import Posted, Received

_END: Final = b"\0"  # of a message where it is sent over TCP; some senders put it here too


def read(posted: Posted) -> Received:
    """The events of a body.

    Raises:
        Unreadable: the body is empty, or no JSON.
        TooManyEvents: there are too many.
    """
    return json_logs.read(replace(posted, body=posted.body.rstrip(_END), media_type=json_logs.JSON))

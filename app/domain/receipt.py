"""The receipt of a record that one of our receivers sent: what it knew of the request, signed. Pure.

A receipt is two headers of the record. `log-receipt` is a JSON object of texts with its version, `v`; `log-receipt-mac`
is the HMAC-SHA256 (RFC 2104) over it, the other headers that count for events, and the value, by a key that only the
service has. So
nobody else who may write to the topic can say by which address or token a log came in. The value itself is in a form
that every consumer reads: one that knows no receipts stores the same events without what the receipt says.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from app.domain.records import Headers

HEADER: Final = "log-receipt"
MAC_HEADER: Final = "log-receipt-mac"
VERSION: Final = 1

PREFIX: Final = "log.receiver."
"""Begins the names of the attributes that receipts give to events, and no others."""

UNVERIFIED: Final = "unverified."
"""Precedes such a name where nothing proves what it says."""

CONTENT_TYPE: Final = "content-type"

SIGNED: Final = (CONTENT_TYPE, "service.name", "host.name", "timezone", "traceparent")
"""The other headers of a record that decide how its events are read, or give them something."""

Pairs = Sequence[tuple[str, str]]


def headers_of(
    receipt: Mapping[str, str], given: Mapping[str, str], value: bytes, key: bytes
) -> list[tuple[str, bytes]]:
    """The headers of a record: those that are given, of `SIGNED`, and the receipt; unsigned if the key is empty."""
    text = json.dumps({"v": VERSION, **receipt}, separators=(",", ":")).encode()
    others = {name: said.encode(errors="replace") for name, said in given.items()}
    headers = [*others.items(), (HEADER, text)]
    return [*headers, (MAC_HEADER, _mac(key, others, text, value))] if key else headers


def unproven_name(name: str) -> str:
    """The name that an attribute has whatever sent it, so that it is not taken for a receipt's."""
    return UNVERIFIED + name if name.startswith(PREFIX) else name


class ReceiptReader:
    """Reads receipts, and believes those that one of its keys has signed."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = keys

    def read(self, headers: Headers, value: bytes | None) -> tuple[Pairs, bool]:
        """The attributes that a record's receipt gives to its events, and whether they are proven.

        Of a version that is not known yet the texts are kept in the same way. What is no receipt gives none.
        """
        first = {name.lower(): data or b"" for name, data in reversed(headers)}  # the one that counts for events
        text = first[HEADER]
        is_proven = self._is_signed(first.get(MAC_HEADER, b""), first, text, value or b"")
        prefix = PREFIX if is_proven else UNVERIFIED + PREFIX
        return [(prefix + name, said) for name, said in _texts(text)], is_proven

    def _is_signed(self, mac: bytes, others: Mapping[str, bytes], text: bytes, value: bytes) -> bool:
        return any(hmac.compare_digest(mac, _mac(key, others, text, value)) for key in self._keys)


NO_RECEIPTS: Final = ReceiptReader()
"""Believes no receipt."""


def _texts(receipt: bytes) -> Pairs:
    with suppress(ValueError, RecursionError):
        parsed = json.loads(receipt)
        if isinstance(parsed, dict):
            return [(name, said) for name, said in parsed.items() if isinstance(said, str)]
    return []


def _mac(key: bytes, others: Mapping[str, bytes], receipt: bytes, value: bytes) -> bytes:
    signed_parts = (*(others.get(name, b"") for name in SIGNED), receipt)
    # The lengths in front keep one part from being moved into another.
    parts = b"".join(len(part).to_bytes(8, "big") + part for part in signed_parts)
    signed = hmac.new(key, parts, "sha256")
    signed.update(value)
    return signed.digest()

"""The receipt of a record that one of our receivers sent: what it knew of the request, signed. Pure.

A receipt is two headers of the record. `log-receipt` is a JSON object of texts with its version, `v`; `log-receipt-mac`
is the HMAC-SHA256 (RFC 2104) over the content type, the receipt and the value, by a key that only the service has. So
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

Pairs = Sequence[tuple[str, str]]


def headers_of(receipt: Mapping[str, str], content_type: bytes, value: bytes, key: bytes) -> list[tuple[str, bytes]]:
    """The headers of a record with this receipt; without a signature if the key is empty."""
    text = json.dumps({"v": VERSION, **receipt}, separators=(",", ":")).encode()
    headers = [(CONTENT_TYPE, content_type), (HEADER, text)]
    return [*headers, (MAC_HEADER, _mac(key, content_type, text, value))] if key else headers


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
        first = {name: data or b"" for name, data in reversed(headers)}
        text = first[HEADER]
        is_proven = self._is_signed(first.get(MAC_HEADER, b""), first.get(CONTENT_TYPE, b""), text, value or b"")
        prefix = PREFIX if is_proven else UNVERIFIED + PREFIX
        return [(prefix + name, said) for name, said in _texts(text)], is_proven

    def _is_signed(self, mac: bytes, content_type: bytes, text: bytes, value: bytes) -> bool:
        return any(hmac.compare_digest(mac, _mac(key, content_type, text, value)) for key in self._keys)


NO_RECEIPTS: Final = ReceiptReader()
"""Believes no receipt."""


def _texts(receipt: bytes) -> Pairs:
    with suppress(ValueError, RecursionError):
        parsed = json.loads(receipt)
        if isinstance(parsed, dict):
            return [(name, said) for name, said in parsed.items() if isinstance(said, str)]
    return []


def _mac(key: bytes, content_type: bytes, receipt: bytes, value: bytes) -> bytes:
    # The lengths in front keep one part from being moved into another.
    parts = b"".join(len(part).to_bytes(8, "big") + part for part in (content_type, receipt))
    signed = hmac.new(key, parts, "sha256")
    signed.update(value)
    return signed.digest()

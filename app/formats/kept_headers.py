"""The key and the headers of a record that are kept as attributes of its events, by the settings. Pure."""

import codecs
from collections.abc import Sequence
from typing import Final

from app.domain.name_patterns import matcher
from app.domain.records import Headers

KEY: Final = "messaging.kafka.message.key"
HEADER: Final = "messaging.header."
"""The names of OpenTelemetry: of its conventions for Kafka, and of what its instrumentations record of headers."""

MAX_CHARS: Final = 1024
"""The length of a kept value; the rest is cut off."""

MAX_HEADERS: Final = 64
"""The most headers of one record that are kept."""

_MOST_BYTES: Final = 4 * MAX_CHARS
_LONGEST_NAME: Final = 200

Pairs = Sequence[tuple[str, str]]


class KeptParts:
    """Keeps the key if that is set, and headers whose names match."""

    def __init__(self, names: Sequence[str] = (), *, has_key: bool = False) -> None:
        self._matcher = matcher(names)
        self._has_key = has_key

    def of_key(self, key: bytes | None) -> Pairs:
        """The attribute of a key, none if it is empty or keys are not kept."""
        return [(KEY, text_of(key))] if key and self._has_key else ()

    def of_headers(self, headers: Headers) -> Pairs:
        """The attributes of the headers that are kept, by their names in lower case; empty ones are left out."""
        if self._matcher is None:
            return ()
        found = []
        for name, value in headers:
            if value and len(name) <= _LONGEST_NAME and self._matcher.match(name):
                found.append((HEADER + name.lower(), text_of(value)))
                if len(found) == MAX_HEADERS:
                    break
        return found or ()


def text_of(value: bytes) -> str:
    r"""The text of a key or header, up to `MAX_CHARS`; bytes that are not UTF-8 are written as \xff."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    return decoder.decode(value[:_MOST_BYTES], final=len(value) <= _MOST_BYTES)[:MAX_CHARS]

"""The reader of records: what determines which rows a record becomes, and a short name for it. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

# Raise it with every change of the code that gives any record other rows.
READING_VERSION: Final = 9

MAX_ITEMS: Final = 2**16 - 1
"""The most rows of one record: their number has 16 bits, and the number of the last possible row is `REST_ITEM`."""

REST_ITEM: Final = 2**16 - 1
"""The item of the row that finishes a record of which another reader has stored a part; see `missing_rows`."""


class Reader(Struct, frozen=True):
    """Everything that determines the reading: the same reader makes the same rows of a record for ever.

    `settings` are those that the reading depends on, by name; `zone_rules` is the version of the time zone rules.
    """

    settings: Mapping[str, str]
    zone_rules: str
    version: int = READING_VERSION

    @property
    def name(self) -> str:
        """Eight hexadecimal digits that differ whenever anything that determines the reading does."""
        return hashlib.sha256(json.dumps(self.parts(), sort_keys=True).encode()).hexdigest()[:8]

    def parts(self) -> Mapping[str, object]:
        """What the name is made from, for people."""
        return {"version": self.version, "zone_rules": self.zone_rules, "settings": dict(self.settings)}

"""Keys of records, found in their values."""

import json
from collections.abc import Callable


def key_from_field(name: str) -> Callable[[bytes], bytes | None]:
    """A function that returns a record's key: the value of this field if the record is a JSON object that has it."""

    def key_of(value: bytes) -> bytes | None:
        try:
            event = json.loads(value)
        except (ValueError, RecursionError):
            return None
        found = event.get(name) if isinstance(event, dict) else None
        if found is None:
            return None
        return (found if isinstance(found, str) else json.dumps(found)).encode(errors="replace")

    return key_of

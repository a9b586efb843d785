"""The order of rows: by time, then by identity. Also the SQL conditions for rows before or after a row."""

from typing import Final

from app.query.log_id import LogId

_COLUMNS: Final = ("Timestamp", "_topic_id", "_partition", "_offset", "_item")
NEWEST_FIRST: Final = ", ".join(f"{column} DESC" for column in _COLUMNS)
OLDEST_FIRST: Final = ", ".join(_COLUMNS)

_PLACE: Final = (
    "(fromUnixTimestamp64Nano({place_ns:Int64}, 'UTC'), {place_topic_id:String}, {place_partition:UInt16},"
    " {place_offset:UInt64}, {place_item:UInt16})"
)
BEFORE: Final = f"({', '.join(_COLUMNS)}) < {_PLACE}"
AFTER: Final = f"({', '.join(_COLUMNS)}) > {_PLACE}"


def cursor_parameters(row: LogId) -> dict[str, object]:
    """The bound parameters of BEFORE and AFTER."""
    return {
        "place_ns": row.timestamp_ns,
        "place_topic_id": row.topic_id,
        "place_partition": row.partition,
        "place_offset": row.offset,
        "place_item": row.item,
    }

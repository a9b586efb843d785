"""The order of rows: by time, then by identity. Also the SQL conditions for rows before or after a row."""

from typing import Final

from app.query.log_id import LogId

_COLUMNS: Final = ("Timestamp", "_topic_id", "_partition", "_offset", "_item")
NEWEST_FIRST: Final = ", ".join(f"{column} DESC" for column in _COLUMNS)
OLDEST_FIRST: Final = ", ".join(_COLUMNS)

_ROW: Final = (
    "(fromUnixTimestamp64Nano({id_ns:Int64}, 'UTC'), {id_topic_id:String}, {id_partition:UInt16},"
    " {id_offset:UInt64}, {id_item:UInt16})"
)
BEFORE: Final = f"({', '.join(_COLUMNS)}) < {_ROW}"
AFTER: Final = f"({', '.join(_COLUMNS)}) > {_ROW}"


def cursor_parameters(row: LogId) -> dict[str, object]:
    """The bound parameters of BEFORE and AFTER."""
    return {
        "id_ns": row.timestamp_ns,
        "id_topic_id": row.topic_id,
        "id_partition": row.partition,
        "id_offset": row.offset,
        "id_item": row.item,
    }

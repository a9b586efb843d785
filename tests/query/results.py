"""Results for every statement of the queries, which depend only on the statement."""

from __future__ import annotations

import base64
import re
from typing import Final

from app.domain.statement import Cost, Result, Statement

NOW_NS: Final = 1_795_435_200_000_000_000  # 2026-11-23T12:00:00Z
_SHOWN: Final = re.compile(r"(toUnixTimestamp64Nano\([^()]*(?:\([^()]*\))?[^()]*\)|[^ ,]+|if\([^)]*\)) AS (shown_\d+)")
_POSITION: Final = (NOW_NS - 1_000_000_000, "topic-id", 2, 100, 0)
_POSITION_NAMES: Final = ("timestamp_ns", "topic_id", "partition", "offset", "item")
_COLUMN: Final = re.compile(r" AS (column_\d+)")


def result_of(statement: Statement) -> Result:
    """Rows with the selected columns, ignoring conditions; references to attributes are resolved."""
    sql, cost = statement.sql, Cost(1000, 20_000)
    if "AS id_timestamp_ns" in sql:
        stored = {"stored_ms": 5} if "AS stored_ms" in sql else {}
        position = {f"id_{name}": value for name, value in zip(_POSITION_NAMES, _POSITION, strict=True)}
        row = stored | position | {column: _shown(expression) for expression, column in _SHOWN.findall(sql)}
        return Result(tuple(row), [tuple(row.values())], cost)
    if "sumMap" in sql:
        counts = [90_000 - n for n in range(sql.count("countIf("))]
        return Result((), [(100_000, counts, {"http.route": 5, "level": 2}, {"host.name": 4})], cost)
    if "max(_offset)" in sql:
        return Result((), [("topic-id", 0, 1, 9), ("topic-id", 1, 2, 12)], cost)
    if "Resample(" in sql:
        return Result((), [("ERROR", [3, 0, 5]), ("INFO", [0, 70, 80])], cost)
    if names_of_columns := list(dict.fromkeys(_COLUMN.findall(sql))):
        return Result(names_of_columns, [tuple(1_795_435_000 + n for n in range(len(names_of_columns)))], cost)
    if "GROUP BY ServiceName, SeverityText, SeverityNumber ORDER BY" in sql:
        last_secs = NOW_NS // 10**9 - 60
        groups = [("text of ServiceName", "ERROR", 17, 3000, last_secs), ("payment", "INFO", 9, 3000, last_secs)]
        return Result((), groups, cost)
    if "AS bucket_start" in sql:
        return Result((), [(1_795_434_900, 3), (1_795_434_600, 1)], cost)
    return Result((), [(6000,)], cost)


def _shown(expression: str) -> object:
    if expression in ("LogAttributes", "ResourceAttributes"):
        return {"http.route": "/pay", "host.name": "pod-1"}
    if expression.startswith("toUnixTimestamp64Nano"):
        return _POSITION[0]
    if expression in ("_partition", "_offset", "_item", "_items", "SeverityNumber"):
        return 7
    if expression.startswith("base64Encode"):
        return base64.b64encode(b"raw bytes").decode()
    return "12.5" if "ResponseTimeMs" in expression else f"text of {expression}"

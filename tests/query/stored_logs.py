"""Generated logs in a table of their own on the running engine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from app.backends.clickhouse.attributes import DEFAULTS, attribute_columns
from app.backends.clickhouse.client import connect
from app.backends.clickhouse.schema import ensure_table
from app.backends.clickhouse.writer import ClickHouseWriter
from app.domain.rows import SCHEMA, concatenate
from app.query.attribute_reference import resolved
from app.query.condition import condition_of
from app.query.tree import Node
from app.settings import ClickHouseSettings
from tests.query.evaluate import Row, finds
from tests.query.generated import TIME_NS
from tests.support.servers import RunningEngine

_NEVER_MS: Final = 10_000_000_000_000  # in the year 2286


class Logs:
    """A table and its stored logs."""

    def __init__(self, engine: RunningEngine) -> None:
        self.settings = ClickHouseSettings.model_validate(
            {
                "url": engine.url,
                "user": engine.user or "default",
                "password": engine.password,
                "database": "contract",
                "table": f"query_{uuid.uuid4().hex[:12]}",
                "retention_days": 3650,  # the rows are old
            }
        )
        self.stored: list[Row] = []
        self._writer = ClickHouseWriter(self.settings)
        self._client = connect(self.settings, timeout_secs=60)
        self._table = f"`{self.settings.database}`.`{self.settings.table}`"
        ensure_table(self.settings)
        names = {"database": self.settings.database, "of_table": self.settings.table}
        self._columns = attribute_columns(
            (name, expression) for name, expression in self._client.query(DEFAULTS, parameters=names).result_rows
        )

    def store(self, added: Sequence[dict[str, Any]]) -> None:
        blocks = [pa.record_batch([_column(row, field) for field in SCHEMA], schema=SCHEMA) for row in added]
        self._writer.insert(concatenate(blocks), uuid.uuid4().hex, _NEVER_MS)
        self.stored.extend(added)

    def store_without_forms(self, messages: Sequence[str]) -> None:
        """Store messages as versions did that knew no form of messages; the offset of each is its index."""
        rows = [[TIME_NS, message, offset] for offset, message in enumerate(messages)]
        self._client.insert(self._table, rows, column_names=["Timestamp", "Body", "_offset"])

    def found_by(self, tree: Node, **settings: Any) -> list[int]:
        """Offsets of the rows that the engine finds."""
        condition = condition_of(tree)
        sql = resolved(condition.sql, condition.parameters, self._columns)
        answer = self._client.query(
            f"SELECT _offset FROM {self._table} WHERE {sql} ORDER BY _offset",
            parameters=dict(condition.parameters),
            settings={"max_threads": 1, **settings},  # few logs need no threads
        )
        return [offset for (offset,) in answer.result_rows]

    def holding(self, tree: Node) -> list[int]:
        """Offsets of the rows that the evaluator finds."""
        return [row["_offset"] for row in self.stored if finds(tree, row)]

    def plan(self, tree: Node) -> str:
        """The query plan of the engine."""
        condition = condition_of(tree)
        where = resolved(condition.sql, condition.parameters)
        sql = f"EXPLAIN indexes = 1, projections = 1 SELECT Body FROM {self._table} WHERE {where}"
        answer = self._client.query(sql, parameters=dict(condition.parameters))
        return "\n".join(line for (line,) in answer.result_rows)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text in the index of the table."""
        sql = "SELECT tokens(lower({text:String}), 'splitByNonAlpha')"
        [[found]] = self._client.query(sql, parameters={"text": text}).result_rows
        return list(found)

    def drop(self) -> None:
        self._client.command(f"DROP TABLE IF EXISTS {self._table}")
        self._client.close()


def _column(row: dict[str, Any], field: pa.Field) -> pa.Array:
    if field.name == "record_time_ms":
        return pa.array([TIME_NS // 10**6], field.type)
    value = row[field.name]
    if pa.types.is_map(field.type):
        value = list(value.items())
    return pa.array([value.encode() if field.name == "_raw" else value], field.type)

"""Live tails that share what they read."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from app.domain.statement import Result, Statement
from app.query.language import parse
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.service import QueryService
from app.query.tail import Tail
from tests.fakes import Clock, ScriptedReader
from tests.query.results import result_of


class Table:
    """One partition, which grows by a row a second; `rows_read` are the statements that read rows."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._reader = ScriptedReader(self._answer)
        self.queries = QueryService(LogTable(self._reader), clock=self.clock)
        self._began_at = self.clock()

    @property
    def rows_read(self) -> int:
        return sum("stored_ms" in statement.sql for statement in self._reader.statements)

    @property
    def extents_read(self) -> int:
        return sum("max(_offset)" in statement.sql for statement in self._reader.statements)

    def tail(self, query: str, *, fields: Sequence[str] = ("message",), scope: str = "") -> Tail:
        queries = self.queries.within(Scope(parse(scope).tree)) if scope else self.queries
        return queries.tail(parse(query).tree, fields=fields, last_id="")

    def _answer(self, statement: Statement) -> Result:
        last = 100 + int(self.clock() - self._began_at)
        if "max(_offset)" in statement.sql:
            return Result((), [("topic-id", 2, 1, last)])
        found = result_of(statement)
        offset = found.columns.index("id_offset")
        [row] = found.rows
        return replace(found, rows=[[*row[:offset], last, *row[offset + 1 :]]])


def poll(tails: Sequence[Tail]) -> list[list[str]]:
    return [[row.json for row in tail.poll()] for tail in tails]


def test_tails_of_the_same_query_read_once() -> None:
    table = Table()
    tails = [table.tail("level:error") for _ in range(50)]
    begun = table.extents_read
    poll(tails)
    table.clock.advance(1)
    poll(tails)
    table.clock.advance(1)

    first, *others = poll(tails)

    assert first
    assert all(other == first for other in others)
    assert table.rows_read == 1
    assert table.extents_read == begun + 3


def test_a_tail_begins_behind_all_that_is_stored_whatever_others_have_just_read() -> None:
    table = Table()
    table.clock.advance(0.9)
    before = table.tail("level:error")
    table.clock.advance(0.2)  # a row is stored

    after = table.tail("level:error")

    assert (before.resume_token, after.resume_token) == ("topic-id:2:100:65535", "topic-id:2:101:65535")


def test_tails_that_may_see_other_logs_or_show_other_fields_do_not_share_rows() -> None:
    table = Table()
    tails = [
        table.tail("level:error"),
        table.tail("level:error", scope="service:a"),
        table.tail("level:error", scope="service:b"),
        table.tail("level:error", fields=["level"]),
        table.tail("level:info"),
    ]
    for _ in range(3):
        poll(tails)
        table.clock.advance(1)

    assert table.rows_read == len(tails)


def test_each_row_has_the_token_to_go_on_after_it() -> None:
    table = Table()
    tail = table.tail("")
    list(tail.poll())
    table.clock.advance(1)
    list(tail.poll())
    table.clock.advance(1)

    [row] = tail.poll()

    assert row.resume_token == "topic-id:2:102:0"

"""The statement of a request."""

import pytest

from local.engine.errors import EngineError
from local.engine.statement import Session, session, statement


@pytest.mark.parametrize(
    ("url_query", "body", "sql", "row_format", "rows"),
    [
        ("INSERT INTO t FORMAT Native", [b"\1\2"], "INSERT INTO t ", "Native", b"\1\2"),
        ("INSERT INTO t (a, b) FORMAT JSONEachRow", [b"{}"], "INSERT INTO t (a, b) ", "JSONEachRow", b"{}"),
        ("insert into d.t (a) format CSV;", [b"1"], "insert into d.t (a) ", "CSV", b"1"),
        ("", [b"INSERT INTO `t` (`a`) FORMAT CSV\n1\n", b"2\n"], "INSERT INTO `t` (`a`) ", "CSV", b"1\n2\n"),
        ("", [b"INSERT INTO t FORMAT Native\n", b"\n\xff"], "INSERT INTO t ", "Native", b"\n\xff"),
        ("INSERT INTO t(a) VALUES", [b"(1)"], "INSERT INTO t(a) ", "Values", b"(1)"),
        (
            "INSERT INTO t SETTINGS async_insert=0 FORMAT TSV",
            [b"1"],
            "INSERT INTO t SETTINGS async_insert=0 ",
            "TSV",
            b"1",
        ),
        ("INSERT INTO t FORMAT CSV 1,2", [], "INSERT INTO t ", "CSV", b"1,2"),
        ("INSERT INTO t FORMAT Native", [], "INSERT INTO t ", "Native", b""),
        ('INSERT INTO "ä" (`format`) FORMAT CSV', [b"1"], 'INSERT INTO "ä" (`format`) ', "CSV", b"1"),
        ("", ["INSERT INTO `ä` FORMAT CSV\nö".encode()], "INSERT INTO `ä` ", "CSV", "ö".encode()),
    ],
)
def test_an_insert_is_parted_from_its_rows(
    url_query: str, body: list[bytes], sql: str, row_format: str, rows: bytes
) -> None:
    parsed = statement(url_query, body, "TabSeparated")

    assert (parsed.sql, parsed.format) == (sql, row_format)
    assert parsed.rows is not None
    assert b"".join(parsed.rows) == rows


@pytest.mark.parametrize(
    ("url_query", "sql"),
    [
        ("INSERT INTO t FORMAT CSV", "INSERT INTO t  FROM INFILE '/a' COMPRESSION 'none'  FORMAT CSV"),
        (
            "INSERT INTO d.t (`SETTINGS `) SETTINGS x=1, y='(' FORMAT CSV",
            "INSERT INTO d.t (`SETTINGS `)  FROM INFILE '/a' COMPRESSION 'none' SETTINGS x=1, y='('  FORMAT CSV",
        ),
    ],
)
def test_an_insert_reads_its_rows_from_a_file(url_query: str, sql: str) -> None:
    assert statement(url_query, [b"1"], "TabSeparated").reading("/a") == sql


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1 FORMAT Native",
        "INSERT INTO t SELECT 'INSERT INTO u FORMAT CSV'",
        "INSERT INTO FUNCTION file('x.csv') SELECT 1",
    ],
)
@pytest.mark.parametrize("is_in_body", [True, False])
def test_an_insert_that_brings_its_own_rows_is_left_as_it_is(sql: str, is_in_body: bool) -> None:
    parsed = statement("", [sql.encode()], "CSV") if is_in_body else statement(sql, [], "CSV")

    assert parsed.rows is None
    assert parsed.sql.strip() == sql


def test_a_query_begun_in_the_url_goes_on_in_the_body() -> None:
    assert statement("SELECT 1", [b"+", b"1"], "CSV").sql == "SELECT 1\n+1"


@pytest.mark.parametrize(
    ("sql", "answer_format"),
    [
        ("SELECT 1", "CSV"),
        ("SELECT 1 FORMAT JSON", "JSON"),
        ("SELECT 1 format Native;", "Native"),
        ("SELECT 1 FORMAT JSONEachRow SETTINGS max_threads = 1", "JSONEachRow"),
        ("SELECT format FROM t", "CSV"),
    ],
)
def test_a_format_in_the_query_beats_the_default(sql: str, answer_format: str) -> None:
    assert statement(sql, [], "CSV").format == answer_format


@pytest.mark.parametrize("sql", ["SELECT 1", " (select 1)", "-- why\nWITH 1 AS x SELECT x", "/* a */ SELECT 1"])
def test_reads_are_known(sql: str) -> None:
    assert statement(sql, [], "Native").is_streamed


@pytest.mark.parametrize("sql", ["SHOW TABLES", "CREATE TABLE t (a Int8)", "INSERT INTO t VALUES (1)", "DROP TABLE t"])
def test_anything_else_is_no_read(sql: str) -> None:
    assert not statement(sql, [], "Native").is_read


@pytest.mark.parametrize("answer_format", ["JSON", "Parquet", "ArrowStream", "CSVWithNames"])
def test_formats_with_header_or_footer_are_not_sent_in_pieces(answer_format: str) -> None:
    assert not statement("SELECT 1", [], answer_format).is_streamed


def test_the_ids_of_running_queries_are_those_that_clients_gave() -> None:
    parsed = statement("SELECT query_id FROM system.processes WHERE query_id = 'a'", [], "CSV")

    assert "Settings['log_comment'] AS query_id" in parsed.sql


def test_a_query_is_killed_by_the_id_its_client_gave() -> None:
    parsed = statement("KILL QUERY WHERE query_id = 'a' SYNC", [], "CSV")

    assert parsed.sql == "KILL QUERY WHERE Settings['log_comment'] = 'a' SYNC"


def test_parameters_of_the_url_that_http_does_not_use_are_settings() -> None:
    url = {"query": "SELECT 1", "database": "d", "max_threads": "1", "param_x": "it's", "session_id": "s"}

    parsed = session(url, "id", database="", is_readonly=False)

    assert parsed == Session("id", "d", {"max_threads": "1"}, {"x": "it's"})
    assert parsed.statements() == ["USE `d`", r"SET log_comment = 'id', max_threads = '1', param_x = 'it\'s'"]


def test_readonly_is_set_last() -> None:
    parsed = session({"readonly": "1", "max_threads": "1"}, "id", database="", is_readonly=False)

    assert parsed.statements()[-1].endswith(", readonly = '1'")


def test_a_get_request_changes_nothing() -> None:
    assert session({}, "id", database="", is_readonly=True).statements()[-1].endswith(", readonly = '2'")


def test_sessions_that_differ_in_values_alone_are_of_one_kind() -> None:
    def of(query_id: str = "a", database: str = "d", **url: str) -> Session:
        return session({"max_threads": "1", "param_x": "1", **url}, query_id, database=database, is_readonly=False)

    assert of().kind == of("b", max_threads="2", param_x="2").kind
    for other in (of(database="e"), of(readonly="2"), of(max_block_size="9"), of(param_y="1")):
        assert other.kind != of().kind


def test_the_values_of_a_session_take_the_place_of_those_of_another_of_its_kind() -> None:
    def of(query_id: str, **url: str) -> Session:
        return session({"readonly": "2", "max_threads": "1", **url}, query_id, database="d", is_readonly=False)

    assert of("b", param_x="z").changes(of("a", param_x="y")) == ["SET log_comment = 'b', param_x = 'z'"]
    assert of("b", max_threads="2").changes(of("b", max_threads="1")) == ["SET max_threads = '2'"]
    assert of("b", param_x="y").changes(of("b", param_x="y")) == []
    assert of("b").can_be_changed
    assert not session({"readonly": "1"}, "id", database="", is_readonly=False).can_be_changed


def test_a_name_that_no_setting_can_have_is_refused() -> None:
    with pytest.raises(EngineError, match="Unknown setting 'a = 1, b'") as caught:
        session({"a = 1, b": "2"}, "id", database="", is_readonly=False)

    assert (caught.value.code, caught.value.status) == (115, 404)

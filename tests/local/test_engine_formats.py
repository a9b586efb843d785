"""The engine answers clickhouse-connect as a server does: formats, compression, types, settings."""

from __future__ import annotations

import datetime
import gzip
import json
from decimal import Decimal

import lz4.frame
import pyarrow
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.local.clients import MakeClient, one_row
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

_PACK = {"lz4": lz4.frame.compress, "zstd": zstandard.compress, "gzip": gzip.compress}
_ROWS = b'{"i":1,"s":"one"}\n{"i":2,"s":"zwei \xc3\xa4"}\n'
_UTC = datetime.UTC


@pytest.mark.parametrize("compression", [False, "lz4", "zstd", "gzip"])
def test_rows_come_back_under_each_compression(
    engine: RunningEngine, connect: MakeClient, table: str, compression: str | bool
) -> None:
    client = connect(engine, compress=compression)

    summary = client.insert(table, [[number, f"word {number}"] for number in range(10_000)], column_names=["i", "s"])
    result = client.query(f"SELECT i, s FROM {table} ORDER BY i")

    assert summary.written_rows == 10_000
    assert result.row_count == 10_000
    assert result.result_rows[9_999] == (9_999, "word 9999")


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip"])
def test_a_compressed_body_is_stored(client: Client, table: str, compression: str) -> None:
    body = _PACK[compression](_ROWS)

    client.raw_insert(table, ["i", "s"], body, fmt="JSONEachRow", compression=compression)

    assert client.query(f"SELECT * FROM {table} ORDER BY i").result_rows == [(1, "one"), (2, "zwei ä")]


def test_a_body_sent_in_chunks_is_stored(client: Client, table: str) -> None:
    pieces = (b'{"i":%d}\n' % number for number in range(100))

    client.raw_insert(table, ["i"], pieces, fmt="JSONEachRow")

    assert one_row(client, f"SELECT count(), sum(i) FROM {table}") == (100, 4950)


def test_arrow_goes_both_ways(client: Client, table: str) -> None:
    rows = pyarrow.table({"i": pyarrow.array(range(1000), pyarrow.uint64()), "s": [str(n) for n in range(1000)]})

    client.insert_arrow(table, rows)
    answer = client.query_arrow(f"SELECT i, s FROM {table} ORDER BY i", use_strings=True)

    assert answer["i"].to_pylist() == rows["i"].to_pylist()
    assert answer["s"].to_pylist() == rows["s"].to_pylist()


@pytest.mark.parametrize("row_format", ["Native", "Parquet", "Arrow", "ArrowStream", "JSONEachRow", "RowBinary", "CSV"])
def test_every_format_can_be_read_and_written(client: Client, table: str, row_format: str) -> None:
    answer = client.raw_query("SELECT number AS i, toString(number) AS s FROM numbers(1000)", fmt=row_format)

    client.raw_insert(table, ["i", "s"], answer, fmt=row_format)

    assert one_row(client, f"SELECT count(), sum(i), uniq(s) FROM {table}") == (1000, 499_500, 1000)


def test_types_come_back_as_they_are(client: Client) -> None:
    row = one_row(
        client,
        "SELECT true AS a, toLowCardinality('x') AS b, map('k', toLowCardinality('v')) AS c, NULL AS d, "
        "toDateTime64('2026-01-02 03:04:05.123456', 6, 'UTC') AS e, [1, 2] AS f, toDecimal64(1.5, 2) AS g, "
        "toNullable(toFloat32(0.5)) AS h, toDateTime('2026-01-02 03:04:05', 'UTC') AS i",
    )

    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=_UTC)
    times = [value.replace(tzinfo=_UTC) for value in (row[4], row[8])]
    assert row[:4] == (True, "x", {"k": "v"}, None)
    assert row[5:8] == ([1, 2], Decimal("1.50"), 0.5)
    assert times == [moment.replace(microsecond=123456), moment]


@pytest.mark.parametrize(
    "value", ["it's", "a\\b", "line\nend", "tab\t", "{x:String}", "ä", "", "%s", "'; DROP TABLE x"]
)
def test_a_parameter_is_never_read_as_sql(client: Client, value: str) -> None:
    query = "SELECT {value:String}, {values:Array(String)}, {none:Nullable(String)}"

    row = one_row(client, query, value=value, values=[value, value], none=None)

    assert row == (value, [value, value], None)


@pytest.mark.parametrize("piece", ["it's ", "a\\b", "\r\n--", '"ä"\n', "\0", "x"])
def test_parameters_too_large_for_an_address_arrive_as_they_are(client: Client, piece: str) -> None:
    value = piece * 5_000

    row = one_row(client, "SELECT {value:String}, {values:Array(String)}", value=value, values=[value, "y"])

    assert row == (value, [value, "y"])


def test_settings_hold_for_one_request(client: Client) -> None:
    query = "SELECT getSetting('max_threads')"
    before = client.command(query)

    assert client.command(query, settings={"max_threads": 1}) == 1
    assert client.command(query) == before


def test_an_unknown_setting_is_refused(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING") as caught:
        client.raw_query("SELECT 1", settings={"no_such_setting": 1})

    assert caught.value.code == 115


def test_readonly_requests_change_nothing(client: Client, table: str) -> None:
    with pytest.raises(DatabaseError, match="READONLY") as caught:
        client.raw_query(f"TRUNCATE TABLE {table}", settings={"readonly": 1})

    assert caught.value.code == 164


def test_only_one_statement_is_taken(client: Client, table: str) -> None:
    with pytest.raises(DatabaseError, match="Multi-statements are not allowed"):
        client.command(f"SELECT 1; DROP TABLE {table}")

    assert client.command(f"EXISTS TABLE {table}") == 1


def test_the_summary_counts_rows_read_and_written(client: Client, table: str) -> None:
    written = client.raw_insert(table, ["i", "s"], _ROWS, fmt="JSONEachRow")
    read = client.query(f"SELECT count() FROM {table} WHERE s != 'x'")

    assert (written.written_rows, int(written.summary["read_rows"])) == (2, 0)
    assert (int(read.summary["read_rows"]), int(read.summary["result_rows"])) == (2, 1)


def test_a_large_answer_comes_in_pieces_and_whole(client: Client) -> None:
    with client.query_row_block_stream("SELECT number FROM numbers(3000000)") as stream:
        blocks = [block for block in stream]  # noqa: C416  # the stream is no list

    assert len(blocks) > 1
    assert sum(len(block) for block in blocks) == 3_000_000


def test_an_error_in_the_middle_of_a_response_is_reported(client: Client) -> None:
    query = "SELECT throwIf(number = 2500000, 'far too late') FROM numbers(3000000)"

    with pytest.raises(StreamFailureError, match="far too late"), client.query_row_block_stream(query) as stream:
        for _ in stream:
            pass


def test_running_queries_are_found_by_the_ids_their_clients_gave(client: Client) -> None:
    query = "SELECT query_id FROM system.processes WHERE query_id = 'look-at-me'"

    assert client.query(query, settings={"query_id": "look-at-me"}).result_rows == [("look-at-me",)]


def test_json_is_answered_as_one_document(client: Client) -> None:
    answer = json.loads(client.raw_query("SELECT number FROM numbers(200000)", fmt="JSONCompact"))

    assert len(answer["data"]) == 200_000

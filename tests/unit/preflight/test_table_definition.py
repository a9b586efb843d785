"""Parsing a statement in ClickHouse's own format."""

from app.preflight.table_definition import Column, parse

FORMATTED = """CREATE TABLE IF NOT EXISTS logs.logs
(
    `At` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `Attributes` Map(LowCardinality(String), String),
    `_deadline` DateTime64(3, 'UTC') DEFAULT now64(3) + 60 CODEC(ZSTD(1)),
    `odd name` Enum8('a, b' = 1, 'c DEFAULT' = 2) COMMENT 'what, ever',
    INDEX words lower(Body) TYPE text(tokenizer = 'splitByNonAlpha') GRANULARITY 100000000,
    CONSTRAINT on_time CHECK nowInBlock64(3) < _deadline,
    PROJECTION ledger
    (
        SELECT
            _partition,
            max(_offset)
        GROUP BY _partition
    )
)
ENGINE = ReplicatedMergeTree('/tables/{uuid}', '{replica}')
PARTITION BY toDate(At)
ORDER BY (At, ServiceName)
TTL toDateTime(At) + toIntervalDay(30)
SETTINGS mode = 'rebuild, now', window = 10000, index_granularity = 8192"""


def test_columns_have_a_type_a_default_and_the_words_to_add_them() -> None:
    columns = parse(FORMATTED).columns

    assert list(columns) == ["At", "Attributes", "_deadline", "odd name"]
    assert columns["At"].type == "DateTime64(9, 'UTC')"
    assert columns["Attributes"] == Column(
        "Map(LowCardinality(String), String)", "", "`Attributes` Map(LowCardinality(String), String)"
    )
    assert columns["_deadline"] == Column(
        "DateTime64(3, 'UTC')",
        "now64(3) + 60",
        "`_deadline` DateTime64(3, 'UTC') DEFAULT now64(3) + 60 CODEC(ZSTD(1))",
    )


def test_indexes_projections_and_constraints_are_distinguished_by_kind_and_name() -> None:
    definition = parse(FORMATTED)

    assert definition.indexes == {
        "words": "INDEX words lower(Body) TYPE text(tokenizer = 'splitByNonAlpha') GRANULARITY 100000000"
    }
    assert definition.constraints == {"on_time": "CONSTRAINT on_time CHECK nowInBlock64(3) < _deadline"}
    assert definition.projections == {
        "ledger": "PROJECTION ledger ( SELECT _partition, max(_offset) GROUP BY _partition )"
    }


def test_clauses_follow_the_columns() -> None:
    assert parse(FORMATTED).clauses == {
        "ENGINE": "ReplicatedMergeTree('/tables/{uuid}', '{replica}')",
        "PARTITION BY": "toDate(At)",
        "ORDER BY": "(At, ServiceName)",
        "TTL": "toDateTime(At) + toIntervalDay(30)",
    }


def test_settings_are_read_without_their_quotes() -> None:
    assert parse(FORMATTED).settings == {"mode": "rebuild, now", "window": "10000", "index_granularity": "8192"}


def test_a_view_has_columns_and_nothing_else() -> None:
    definition = parse("CREATE VIEW x.v\n(\n    `a` UInt8\n)\nAS SELECT a\nFROM x.src")

    assert (list(definition.columns), definition.clauses, definition.settings) == (["a"], {}, {})


def test_a_statement_without_columns_is_empty() -> None:
    assert parse("CREATE TABLE x.d AS x.src\nENGINE = Distributed('c', 'x', 'src')").columns == {}

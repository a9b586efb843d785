"""The registry of columns: its own rules, and that the table of schema.sql is the one it describes."""

import re
from collections import Counter

import pyarrow as pa
import pytest

from app.domain.columns import ALIASES, COLUMNS, SENT, Column, Kind
from app.domain.log_event import LogEvent
from app.domain.rows import TABLE_COLUMNS
from local.paths import ROOT

SCHEMA = (ROOT / "schema.sql").read_text(encoding="utf-8")
TYPES = dict(re.findall(r"^    (\w+) ([A-Z][A-Za-z].*?)(?= CODEC| DEFAULT|$)", SCHEMA, re.MULTILINE))
# `_deadline` and `_revision` say nothing about a log; `_words` and columns of attributes are made from other columns.
OTHERS = {"_deadline", "_revision", "_words", *(name for name in TYPES if name.startswith("attribute_"))}
TABLE_TYPES = {
    pa.string(): {"String", "LowCardinality(String)"},
    pa.binary(): {"String"},
    pa.float32(): {"Nullable(Float32)"},
    pa.uint8(): {"UInt8"},
    pa.uint16(): {"UInt16"},
    pa.uint64(): {"UInt64"},
    pa.timestamp("ns", tz="UTC"): {"DateTime64(9, 'UTC')"},
    pa.map_(pa.string(), pa.string()): {"Map(LowCardinality(String), String)"},
}


def test_the_table_has_the_columns_of_the_registry_and_no_others() -> None:
    columns = TYPES.keys() - OTHERS

    assert len(columns) > 15
    assert columns == {column.column for column in COLUMNS}


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.arrow is not None], ids=lambda c: c.name)
def test_a_column_has_the_type_that_is_sent_to_it(column: Column) -> None:
    assert TYPES[column.column] in TABLE_TYPES[column.arrow]


def test_every_column_is_filled_once() -> None:
    assert Counter(TABLE_COLUMNS).most_common(1)[0][1] == 1


def test_every_field_of_an_event_can_be_decoded() -> None:
    assert {column.kind for column in SENT.values()} <= {Kind.TIME, Kind.LEVEL, Kind.WORDS, Kind.TEXT, Kind.NUMBER}
    assert LogEvent.model_fields.keys() == {*SENT, "attributes"}


def test_every_alias_stands_for_one_field_of_the_event() -> None:
    assert Counter(alias for column in COLUMNS for alias in column.aliases).most_common(1)[0][1] == 1
    assert set(ALIASES.values()) <= SENT.keys()


def test_no_alias_is_a_field_itself() -> None:
    assert ALIASES.keys() & LogEvent.model_fields.keys() == set()


@pytest.mark.parametrize(
    "name",
    ["ts", "time", "@timestamp", "severity", "msg", "log", "service.name", "userId", "duration_ms"],
)
def test_the_names_that_loggers_use_most_are_known(name: str) -> None:
    assert name in ALIASES

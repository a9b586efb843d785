"""The names of fields."""

import re

import pytest

from app.domain.columns import ALIASES, SENT
from app.query.fields import FIELDS, HOST, Attribute, Field, field_meant_by, named, names_of
from local.paths import ROOT

SCHEMA = (ROOT / "schema.sql").read_text(encoding="utf-8")
COLUMNS = re.findall(r"^    (_?[A-Za-z_]+) [A-Z][A-Za-z0-9]+", SCHEMA, re.MULTILINE)
MAPS = {"ResourceAttributes", "LogAttributes"}


def test_every_column_can_be_queried() -> None:
    # About the insert; made from the message; which of two rows for one record counts.
    of_no_log = {"_deadline", "_words", "_revision"}
    columns = {field.column for field in FIELDS} | MAPS | of_no_log

    assert len(COLUMNS) > 15
    # Columns of attributes are read when the attribute is queried.
    wanted = {column for column in COLUMNS if column.upper() != column and not column.startswith("attribute_")}
    assert columns == wanted


@pytest.mark.parametrize("name", [*SENT, *ALIASES])
def test_a_field_is_found_under_the_name_that_producers_use(name: str) -> None:
    target = ALIASES.get(name, name)

    assert named(name) == (HOST if target == "host" else named(target))
    assert isinstance(named(name), Field) or named(name) == HOST


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_is_known_by_its_name_and_its_column(field: Field) -> None:
    assert named(field.name) == named(field.column) == field
    assert names_of(field)[0] == field.name


def test_other_names_are_attributes() -> None:
    assert named("http.status_code") == Attribute("http.status_code")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("servce", "service"), ("LEVEL", "level"), ("hots", "host"), ("message_id", ""), ("status", ""), ("", "")],
)
def test_the_field_that_was_probably_meant(typed: str, meant: str) -> None:
    assert field_meant_by(typed) == meant

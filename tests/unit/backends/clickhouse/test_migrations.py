"""The files of migrations, and the number in a table's comment."""

import re
from pathlib import Path

import pytest

from app.backends.clickhouse.migrations import Standing, number_in, read_migrations, with_number
from app.backends.clickhouse.schema import create_table, statements
from app.settings import ClickHouseSettings


def test_a_new_table_is_born_with_the_number_of_the_last_migration() -> None:
    found = re.search(r"^COMMENT '(.*)'$", create_table(ClickHouseSettings()), re.MULTILINE)

    assert found
    assert found[1] == f"schema {len(read_migrations())}"


def test_every_migration_alters_the_table_and_can_be_repeated() -> None:
    """As far as the text shows; tests/contract repeats them."""
    settings = ClickHouseSettings(database="web", table="events")
    for migration in read_migrations():
        made = statements(settings, migration.sql)
        assert made, migration.name
        for statement in made:
            assert statement.startswith("ALTER TABLE `web`.`events`"), migration.name
            added = re.findall(r"\b(?:ADD|DROP) (?:COLUMN|INDEX|PROJECTION|CONSTRAINT) (?!IF )\w+", statement)
            assert added == [], migration.name


def test_files_are_read_in_order_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    for name in ("0002_b.sql", "0001_add_a.sql", "README.md"):
        (tmp_path / name).write_text(f"-- {name}")

    read = read_migrations(tmp_path)

    assert [(migration.number, migration.name, migration.sql) for migration in read] == [
        (1, "0001_add_a", "-- 0001_add_a.sql"),
        (2, "0002_b", "-- 0002_b.sql"),
    ]


def test_without_files_there_are_no_migrations(tmp_path: Path) -> None:
    assert read_migrations(tmp_path) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["0002_b.sql"], "0002_b.sql should be 0001_what_it_does.sql"),
        (["0001_a.sql", "0003_c.sql"], "0003_c.sql should be 0002_"),
        (["0001_a.sql", "0001_b.sql"], "0001_b.sql should be 0002_"),
        (["1_a.sql"], "1_a.sql should be 0001_"),
        (["0001-a.sql"], "0001-a.sql should be 0001_"),
    ],
)
def test_a_gap_a_double_and_an_odd_name_are_refused(tmp_path: Path, names: list[str], words: str) -> None:
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(ValueError, match=words):
        read_migrations(tmp_path)


@pytest.mark.parametrize(
    ("comment", "number", "next_comment"),
    [
        ("", 0, "schema 12"),
        ("schema 3", 3, "schema 12"),
        ("of the web team", 0, "of the web team; schema 12"),
        ("of the web team; schema 3", 3, "of the web team; schema 12"),
        ("schema 3; of the web team", 3, "schema 12; of the web team"),
        ("schema 3\nof the web team", 3, "schema 12\nof the web team"),
        ("the schema 3 of old", 0, "the schema 3 of old; schema 12"),
        ("schema 3 of old; schema 4", 4, "schema 3 of old; schema 12"),
        ("schema x", 0, "schema x; schema 12"),
    ],
)
def test_the_number_is_added_to_other_text_of_the_comment(comment: str, number: int, next_comment: str) -> None:
    assert number_in(comment) == number
    assert with_number(comment, 12) == next_comment
    assert number_in(next_comment) == 12


def test_a_table_is_newer_if_it_has_had_what_this_version_does_not_know() -> None:
    assert [Standing(number, 2).is_newer for number in (1, 2, 3)] == [False, False, True]

"""Splits a CREATE TABLE statement into its parts.

Reads the output of ClickHouse's own `formatQuery`: the server parses and normalises, this module only distinguishes its
lines. So the statement of schema.sql and that of an existing table can be compared part by part, as text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

_ELEMENT = re.compile(r"    (?:`|INDEX |CONSTRAINT |PROJECTION )")
_COLUMN = re.compile(
    r"`(?P<name>[^`]+)` (?P<type>.+?)"
    r"(?: (?:DEFAULT|MATERIALIZED|ALIAS|EPHEMERAL)(?P<default>.*?))?"
    r"(?: (?:COMMENT|CODEC|STATISTICS|TTL|SETTINGS)\b.*)?"
)
_CLAUSE = re.compile(r"(ENGINE|PARTITION BY|PRIMARY KEY|ORDER BY|SAMPLE BY|TTL|SETTINGS)\b(?: =)? (.*)")
_SETTING = re.compile(r"(\w+) = ('(?:[^'\\]|\\.)*'|[^,]+)")


class Column(NamedTuple):
    """Type and default expression of a column, and its whole text in the form that ALTER TABLE ADD COLUMN takes."""

    type: str
    default: str
    text: str


class TableDefinition(Struct, frozen=True):
    """The parts of a table. Texts of `indexes`, `projections` and `constraints` begin with their kind and name."""

    columns: Mapping[str, Column]
    indexes: Mapping[str, str]
    projections: Mapping[str, str]
    constraints: Mapping[str, str]
    clauses: Mapping[str, str]
    settings: Mapping[str, str]


def parse(formatted: str) -> TableDefinition:
    """The parts of a statement as `formatQuery` writes it: an element of the table or a clause begins a line."""
    columns: dict[str, Column] = {}
    others: dict[str, dict[str, str]] = {"INDEX": {}, "PROJECTION": {}, "CONSTRAINT": {}}
    head, _, tail = formatted.partition("\n)")
    for text in _elements(head):
        if found := _COLUMN.fullmatch(text):
            columns[found["name"]] = Column(found["type"], (found["default"] or "").strip(), text)
        elif (kind := text.partition(" ")[0]) in others:
            others[kind][text.split(" ", 2)[1].strip("`")] = text
    clauses = {found[1]: found[2] for found in map(_CLAUSE.fullmatch, tail.splitlines()) if found}
    settings = {name: value.strip("'") for name, value in _SETTING.findall(clauses.pop("SETTINGS", ""))}
    return TableDefinition(columns, others["INDEX"], others["PROJECTION"], others["CONSTRAINT"], clauses, settings)


def _elements(head: str) -> Iterator[str]:
    """Each column, index, projection and constraint on a line of its own."""
    lines: list[str] = []
    for line in head.splitlines()[1:]:
        if _ELEMENT.match(line) and lines:
            yield _one_line(lines)
            lines = []
        if lines or _ELEMENT.match(line):
            lines.append(line)
    if lines:
        yield _one_line(lines)


def _one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split()).rstrip(",")

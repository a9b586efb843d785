"""Arguments of the commands that query a running service."""

from __future__ import annotations

import pytest

from app.commands.arguments import parse


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ([], ""),
        (["service:checkout level:>=warn"], "service:checkout level:>=warn"),
        (["-level:error", "timeout"], "-level:error timeout"),
        (["-field:x", "-o", "json"], "-field:x"),
        (["timeout", "--limit", "5", "-service:web", "-f"], "timeout -service:web"),
        (["--since", "90m", "a", "OR", "b"], "a OR b"),
        (["--limit", "5", "--", "--limit", "-f"], "--limit -f"),
        (["-"], "-"),
    ],
)
def test_what_is_no_option_is_a_part_of_the_query(arguments: list[str], query: str) -> None:
    assert " ".join(parse(["query", *arguments]).query) == query


@pytest.mark.parametrize("name", ["--since", "--from", "--start"])
@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", "now-90m"),
        ("2d", "now-2d"),
        ("now-15m", "now-15m"),
        ("2026-11-23T10:15:30Z", "2026-11-23T10:15:30Z"),
        ("-5", "-5"),
    ],
)
def test_a_time_is_written_alike_for_all_names(name: str, text: str, time: str) -> None:
    assert parse(["stats", name, text]).start == time
    assert parse(["stats", f"{name}={text}"]).start == time


@pytest.mark.parametrize("name", ["--to", "--end"])
def test_the_end_of_the_range_has_an_old_and_a_new_name(name: str) -> None:
    assert parse(["query", name, "1h"]).end == "now-1h"


def test_a_field_or_an_id_comes_before_the_query() -> None:
    options = parse(["values", "-o", "csv", "http.route", "-level:error", "timeout"])

    assert (options.field, options.query, options.output) == ("http.route", ["-level:error", "timeout"], "csv")
    assert parse(["context", "1-0-5-0-t", "--before", "2"]).id == "1-0-5-0-t"


def test_json_has_its_old_name() -> None:
    assert parse(["query", "--json"]).output == "json"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query", "--limt", "5"], "unrecognized arguments: --limt"),
        (["query", "--limit", "0"], "'0' is not a number of 1 or more"),
        (["query", "--limit"], "expected one argument"),
        (["stats", "-o", "raw"], "invalid choice: 'raw'"),
        (["values"], "required: field"),
    ],
)
def test_invalid_arguments_are_reported(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)

    assert ended.value.code == 2
    assert words in capsys.readouterr().err

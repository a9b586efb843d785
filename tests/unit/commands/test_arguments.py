"""Arguments of `python -m app`."""

import argparse

import pytest

from app.commands.arguments import age_secs, in_words, parse


def test_without_a_command_it_is_the_service() -> None:
    assert parse([]).command is None


def test_an_audit_covers_two_days_and_prints_text_by_default() -> None:
    assert vars(parse(["audit"])) == {"command": "audit", "since": 2 * 86_400, "json": False}
    assert vars(parse(["audit", "--since", "90m", "--json"])) == {"command": "audit", "since": 5_400, "json": True}


def test_rejected_rows_are_those_of_a_day_and_a_hundred_thousand_at_most() -> None:
    assert vars(parse(["rejected"])) == {"command": "rejected", "since": 86_400, "until": None, "limit": 100_000}
    assert parse(["rejected", "--limit", "5"]).limit == 5


def test_a_migration_leaves_old_rows_alone_by_default() -> None:
    assert vars(parse(["migrate"])) == {"command": "migrate", "materialize": False}
    assert parse(["migrate", "--materialize"]).materialize


def test_a_schema_is_for_one_server_unless_a_cluster_is_named() -> None:
    assert vars(parse(["schema"])) == {"command": "schema", "cluster": None}
    assert parse(["schema", "--cluster", "my-cluster_2.eu"]).cluster == "my-cluster_2.eu"


def test_nothing_is_deleted_by_default() -> None:
    wanted = {"command": "delete", "user": "-5", "mentions": False, "yes": False}

    assert vars(parse(["delete", "--user", "-5"])) == wanted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "invalid choice: 'chekc' (choose from"),
        (["audit", "--since", "2"], "'2' is not a time: write 30s, 90m, 36h, 2d, or 2026-11-23T10:15:00Z"),
        (["audit", "--since", "0d"], "'0d' is not in the past"),
        (["audit", "--from", "2199-01-01T00:00:00Z"], "'2199-01-01T00:00:00Z' is not in the past"),
        (["rejected", "--from", "1h", "--to", "2h"], "--from is not before --to"),
        (["rejected", "--limit", "0"], "'0' is not a number of rows"),
        (["schema", "--cluster", "a`b"], "'a`b' is not the name of a cluster"),
        (["schema", "--cluster", "{cluster}"], "'{cluster}' is not the name of a cluster"),
        (["delete", "--user", ""], "all logs without a user would be deleted"),
        (["delete", "--user", "a\udcff"], "'a\\udcff' is not in the terminal's encoding"),
        (["check", "--json"], "unrecognized arguments: --json"),
    ],
)
def test_invalid_arguments_are_reported_with_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "secs", "words"),
    [
        ("30s", 30, "30 seconds"),
        ("90m", 5_400, "90 minutes"),
        ("1h", 3_600, "hour"),
        ("48h", 172_800, "2 days"),
        ("now-1w", 604_800, "7 days"),
    ],
)
def test_a_duration_is_parsed_and_formatted(text: str, secs: int, words: str) -> None:
    assert age_secs(text) == secs
    assert in_words(secs) == words


def test_a_moment_is_so_long_ago() -> None:
    day = 86_400
    assert age_secs("2026-11-23T10:15:00Z") - age_secs("2026-11-24T10:15:00Z") in (day - 1, day, day + 1)
    assert parse(["rejected", "--start", "2d", "--end", "now-1d"]).until == day


@pytest.mark.parametrize("text", ["", "d", "-1d", "1.5h", "1 w", "1e3s"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        age_secs(text)

"""`python -m app explain` over lines, files and standard input."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main

NOW = ("--record-time", "2026-11-29T10:15:01Z")


@pytest.fixture(autouse=True)
def _default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEFAULT_TIMEZONE", "TIMEZONES", "DAY_FIRST", "LEVELS_FROM_STATUS", "FUTURE_TOLERANCE_SECS"):
        monkeypatch.delenv(name, raising=False)


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *NOW, *arguments]) == 0
    return capsys.readouterr().out


def objects_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output_of(capsys, "--json", *arguments).splitlines()]


def test_a_line_is_shown_with_what_was_read_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    line = (
        '2026-11-29T10:15:01Z stdout F {"level":400,"level_name":"ERROR","channel":"shop","datetime":1,"message":"m"}'
    )

    assert output_of(capsys, line).splitlines() == [
        "record 1: CRI > JSON",
        "  timestamp         2026-11-29T10:15:01Z",
        "                    from the time of the record in Kafka (the event's own, 1970-01-01T00:00:01Z, is more than"
        ' 28 days before it: "1" from key datetime)',
        "  level             ERROR",
        '                    from key level_name: "ERROR" (a name counts before level 400)',
        "  message           m",
        '                    from key message: "m"',
        "  attributes        level = 400",
        "                    channel = shop",
        "                    observed_timestamp = 2026-11-29T10:15:01Z",
        "                    original_timestamp = 1",
        "  resource          log.iostream = stdout",
        "  setting           CLICKHOUSE_RETENTION_DAYS=30 counts: with another value this row would be another",
        "",
    ]


def test_what_others_wrote_cannot_harm_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, '{"message":"\\u001b[31mred\\u001b]0;title\\u0007","k\\u001b":"\\u202e"}', "--limit", "5")

    assert "\\x1b[31mred" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_several_lines_are_several_records_and_have_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    text = output_of(capsys, "--summary", "2026-11-29T10:15:00Z INFO a", "2026-11-29T10:15:00Z INFO b", "c")

    assert text.splitlines()[1:] == [
        "3 records, 3 rows",
        "  time      2 written with its zone, 0 written without a zone, 1 the record's",
        "  level     INFO 2, none 1",
        "  flagged   none",
        "",
        "Shapes, the most frequent first:",
        "          2  line with a time | time: the time of the line | level: the header of the line",
        "             record 1: 2026-11-29T10:15:00Z INFO a",
        "          1  text | time: the time of the record in Kafka",
        "             record 3: c",
    ]
    assert text.splitlines()[0].startswith("With the record time 2026-11-29T10:15:01Z, and the settings of reader ")


def test_a_file_is_split_as_by_the_producer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    lines = "2026-11-29T10:15:00Z ERROR boom\n  at a.B.c(B.java:1)\n2026-11-29T10:15:01Z INFO on\n"
    path.write_bytes(gzip.compress(lines.encode("utf-16")))

    first, second = objects_of(capsys, str(path))

    assert (first["line"], first["row"]["message"]) == (1, "2026-11-29T10:15:00Z ERROR boom\n  at a.B.c(B.java:1)")
    assert (second["line"], second["record"], second["row"]["level"]) == (3, 2, "INFO")
    assert len(objects_of(capsys, "--multiline", "off", str(path))) == 3


def test_standard_input_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"2026-11-29T10:15:00Z WARN a\n")
    os.close(writing)
    saved = os.dup(0)
    try:
        os.dup2(reading, 0)
        [one] = objects_of(capsys, "-")
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reading)

    assert one["row"]["level"] == "WARN"


def test_headers_and_settings_count(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    line = "2026-11-29 10:10:00 x"
    monkeypatch.setenv("DEFAULT_TIMEZONE", "Europe/Berlin")

    [by_setting] = objects_of(capsys, line)
    [by_header] = objects_of(capsys, "--header", "timezone=Asia/Tokyo", "--header", "service.name=web", line)

    assert (by_setting["row"]["timestamp"], by_setting["settings"]) == (
        "2026-11-29T09:10:00Z",
        {"DEFAULT_TIMEZONE": "Europe/Berlin"},
    )
    assert (by_header["row"]["timestamp"], by_header["row"]["service"]) == ("2026-11-29T01:10:00Z", "web")


def test_only_flagged_records_are_shown_if_that_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ("2026-11-29T10:15:00Z fine", "2026-11-29 10:15:00 +0790 not", "no time")

    assert [one["record"] for one in objects_of(capsys, "--flagged", *lines)] == [2, 3]
    assert [one["record"] for one in objects_of(capsys, "--flagged", "--limit", "1", *lines)] == [2]


def test_the_summary_as_json_has_all_counts(capsys: pytest.CaptureFixture[str]) -> None:
    [summary] = objects_of(capsys, "--summary", "2026-11-29 10:10:00 x", '[{"a":1},{"a":2}]', '{"a":')

    assert (summary["records"], summary["rows"]) == (3, 4)
    assert summary["times"] == {"written": 0, "assumed": 1, "record": 3}
    assert summary["problems"] == {"json: not valid": 1}
    assert summary["settings"] == {"DEFAULT_TIMEZONE": {"value": "UTC", "rows": 1}}
    assert [shape["rows"] for shape in summary["shapes"]] == [2, 1, 1]


def test_a_file_whose_clock_is_in_another_zone_says_which(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "tokyo.log"
    path.write_text("".join(f"2026-11-29 19:14:{second} x\n" for second in range(40, 60)))
    hint = "times without a zone look like +09:00: set DEFAULT_TIMEZONE=Asia/Tokyo"

    assert hint in output_of(capsys, str(path))
    assert hint not in output_of(capsys, "--header", "timezone=Asia/Tokyo", str(path))


def test_what_is_no_text_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))

    assert main(["explain", str(path)]) == 2
    assert capsys.readouterr().err == f"explain: {path} is not text but a PNG image; nothing of it was explained\n"


def test_a_name_of_no_file_is_said_to_be_read_as_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "ap.log"]) == 0
    assert "there is no file ap.log, so it is read as a line" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "give lines, a file, or - for standard input"),
        (["a", "--file", "b"], "give lines, a file, or - for standard input"),
        (["a", "--header", "timezone"], "must be NAME=VALUE"),
        (["a", "--header", "timezone=CST"], "'CST' is no zone of the tz database"),
        (["a", "--record-time", "soon"], "'soon' is not a time"),
        (["a", "--limit", "-1"], "'-1' is not a number"),
        (["a", "--multiline", "("], "is no regular expression"),
        (["a", "--encoding", "klingon"], "is no encoding"),
    ],
)
def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str) -> None:
    with pytest.raises(SystemExit):
        main(["explain", *arguments])
    assert problem in capsys.readouterr().err

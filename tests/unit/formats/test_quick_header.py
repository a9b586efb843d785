"""What is remembered of usual headers must be what the readers of headers say."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats import line_reader
from app.formats.reading import Reading
from app.formats.text_line import read_text_line
from tests.support.text_programs import LINES

READING = Reading.of_record(1_795_947_600_000)

openings = st.sampled_from(
    [
        "2026-11-29 10:15:01,123",
        "[2026-11-29 10:15:01]",
        "E1129 10:15:01.123456",
        "Nov 29 10:15:01",
        "<11>Nov 29 10:15:01",
        "2026-11-29T10:15:01Z",
        "[2026-11-29T10:15:01Z",
        "2026-11-29 10:15:01.123 UTC",
        "10:15:01.123",
        "2026-11-29T10:15:01+01:00",
        "Sun Nov 29 10:15:01 2026",
        "INFO 2026-11-29 10:15:01",
        "WARN 2026-11-29 10:15:01,123",
        "77:M 29 Nov 2026 10:15:01.123",
    ]
)
tokens = st.lists(
    st.sampled_from(
        (
            *(
                " ",
                "  ",
                " - ",
                ": ",
                ":",
                "] ",
                "[main]",
                " [77] ",
                " 77 ",
                "INFO",
                "ERROR",
                " WARN ",
                "[error]",
                "com.x.Y",
            ),
            *(
                " kiln",
                " ovend",
                "[77]:",
                " --- ",
                "(pam)",
                "77#78",
                "a.go:12",
                "warm",
                "DEBUG:",
                "|",
                " [ID 1 kern.info] ",
                "\tinfo\t",
                "\twarn\t",
                "oven/a.go:12\t",
                " [77] LOG:  ",
                " [Warning] [MY-010068] [Server] ",
                " INFO  bakery::oven] ",
                " baked in 7",
                "#77",
                "/tag",
                " INFO ",
                " WARN [kiln] ",
                " [DEBUG] [kiln-2, a=b] ",
                "warm kiln",
                "kiln 7 warm",
                "Kiln",
                "Warm Kiln[77]:",
                " [AUTH] ",
                " HTTP [oven-2] ",
            ),
        )
    ),
    max_size=9,
).map("".join)


def without_memory(text: str) -> object:
    with (
        patch.object(line_reader, "quick_header", lambda *_: None),
        patch.object(line_reader, "quick_origin", lambda *_: None),
    ):
        return read_text_line(text, READING)


@settings(max_examples=2000, deadline=None)
@given(openings, tokens)
def test_usual_headers_are_read_like_any_other(opening: str, rest: str) -> None:
    assert read_text_line(opening + rest, READING) == without_memory(opening + rest)


def test_the_level_of_solaris_is_read_wherever_it_stands_behind_the_tag() -> None:
    text = "Nov 29 10:15:01 kiln ovend[77]:  [ID 702911 kern.info] warm"

    assert read_text_line(text, READING).severity == "INFO"
    assert read_text_line(text, READING) == without_memory(text)


@pytest.mark.parametrize("text", [line.text for line in LINES], ids=[line.program for line in LINES])
def test_programs_are_read_like_any_other(text: str) -> None:
    assert read_text_line(text, READING) == without_memory(text)

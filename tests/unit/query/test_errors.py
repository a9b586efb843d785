"""What a query with a mistake is answered."""

import pytest

from app.query.errors import QueryError
from app.query.language import MAX_BYTES, MAX_TERMS, parse
from app.query.syntax import MAX_DEPTH


def error_of(typed: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(typed)
    return caught.value


@pytest.mark.parametrize(
    ("typed", "position", "reason"),
    [
        ("a AND", 5, "The query ends too early."),
        ("AND a", 0, "AND cannot stand here."),
        ("a OR AND b", 5, "AND cannot stand here."),
        ("a OR", 4, "The query ends too early."),
        ("NOT", 3, "The query ends too early."),
        ("()", 1, ") cannot stand here."),
        ("(a OR )", 6, ") cannot stand here."),
        ("(x:(a) AND )", 11, ") cannot stand here."),
        ("a (b (c)", 2, "This parenthesis is not closed."),
        ("level:(warn", 6, "This parenthesis is not closed."),
        ("a) b", 1, "This parenthesis was never opened."),
        ('a "b c', 2, "The quotes that begin here are not closed."),
        ('x:"b c', 2, "The quotes that begin here are not closed."),
        ("level:", 6, "The query ends too early."),
        ("level: )", 7, "This parenthesis was never opened."),
        (":a", 0, ": cannot stand here."),
        ("state:OR", 6, "OR cannot stand here."),
        ("a - b", 2, "- has no letter or digit and so is no word."),
        ("response_time_ms > 500", 17, "> has no letter or digit and so is no word."),
        ('a ""', 2, "There is nothing between these quotes."),
        ("a ti*out", 4, "An asterisk ends a word; within one it cannot stand (for the character itself: \\*)."),
        ("*timeout", 0, "An asterisk ends a word; within one it cannot stand (for the character itself: \\*)."),
        ("http.*:5", 0, "A name holds no asterisk (for one that does: http.\\*)."),
        ("attributes.:5", 0, "attributes. wants the name of an attribute."),
        ("a C:\\temp", 4, "A backslash takes away the meaning of the sign behind it, and t has none."),
        ('"a\\tb"', 2, "A backslash takes away the meaning of the sign behind it, and t has none."),
        ("a\\", 1, "A backslash takes away the meaning of the sign behind it, and here is none."),
        ("message:>5", 9, "message is searched by its words and cannot be compared."),
        ("response_time_ms:slow", 17, "response_time_ms is a number, and slow is none."),
        ("response_time_ms:5*", 17, "response_time_ms is a number, and 5* is none."),
        ("response_time_ms:[1 TO x]", 23, "response_time_ms is a number, and x is none."),
        ("response_time_ms:>1e39", 18, "response_time_ms is a number, and 1e39 is none."),
        ('response_time_ms:""', 17, 'response_time_ms is a number, and "" is none.'),
        ("offset:-1", 7, "offset is a whole number, and -1 is none."),
        ("offset:18446744073709551616", 7, "offset is a whole number, and 18446744073709551616 is none."),
        ("partition:1.5", 10, "partition is a whole number, and 1.5 is none."),
        (
            "http.status_code:>=5xx",
            19,
            "http.status_code is an attribute, which is compared as a number, and 5xx is none.",
        ),
        ("x:>nan", 3, "x is an attribute, which is compared as a number, and nan is none."),
        ("service:>b", 9, "service is compared as a number, and b is none."),
        ("level:>=loud", 8, "level is a level, and loud is none."),
        ("timestamp:>2026", 11, "timestamp is a time, and 2026 is none."),
        ("timestamp:>2026-13-01", 11, "timestamp is a time, and 2026-13-01 is none."),
        ("timestamp:>9999-01-01", 11, "timestamp is a time, and 9999-01-01 is none."),
        ("timestamp:2026-11-23", 10, "timestamp is a time, and a time is compared."),
        ("a \ud800", 2, "Half a character (a lone surrogate)."),
    ],
)
def test_an_error_says_what_is_wrong_and_where(typed: str, position: int, reason: str) -> None:
    error = error_of(typed)

    assert (error.position, error.reason) == (position, reason)


@pytest.mark.parametrize("typed", ["x:[1 2]", "x:[1 TO 2", "x:[main]", "x:[1TO2]", "x:{a}"])
def test_a_range_that_is_none_is_told_how_one_is_written(typed: str) -> None:
    error = error_of(typed)

    assert "[1 TO 5]" in error.reason or error.expected == ("] or }",)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a AND", ("a word", 'text in "quotes"', "(", "NOT")),
        (
            "level:",
            ("a value", 'text in "quotes"', "a comparison such as >=5", "a range such as [1 TO 5]", "("),
        ),
        ("x:[1 2]", ("TO",)),
        ("(a", (")",)),
        ("x:>y", ("a number such as 500, 2.5 or 1e3",)),
        ("level:>=loud", ("trace", "debug", "info", "warn", "error", "fatal")),
        ("timestamp:>now", ("a date or a time such as 2026-11-23 or 2026-11-23T10:15:30Z",)),
    ],
)
def test_an_error_says_what_could_stand_there(typed: str, expected: tuple[str, ...]) -> None:
    assert error_of(typed).expected == expected


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("levl:>=warn", "level"),
        ("Timestamp_:>2026-11-23", "timestamp"),
        ("level:>=wran", "warn"),
        ("timestamp:2026-11-23", "timestamp:>=2026-11-23"),
        ("a => b", '"=>" in quotes'),
        ("C:\\temp", "\\\\t for the backslash itself"),
        ("http.status_code:>=5xx", ""),
        ("response_time_ms:>fast", ""),
    ],
)
def test_an_error_says_what_was_probably_meant(typed: str, suggestion: str) -> None:
    assert error_of(typed).suggestion == suggestion


def test_an_error_shows_the_text_around_it() -> None:
    error = error_of("service:payment-service AND (level:>=warning OR level:>=loud) timeout")

    assert error.position == 56
    assert error.near == "=warning OR level:>=loud) timeout"


def test_an_error_reads_as_sentences() -> None:
    assert str(error_of("levl:>=warn")) == (
        "levl is an attribute, which is compared as a number, and warn is none."
        " Expected: a number such as 500, 2.5 or 1e3. Did you mean level?"
    )
    assert str(error_of("a AND")) == ('The query ends too early. Expected: a word, text in "quotes", ( or NOT.')


def test_too_long_a_query_is_refused() -> None:
    error = error_of("ä" * (MAX_BYTES // 2) + "x")

    assert error.reason == "A query has 8192 bytes at most, this one 8193."


def test_too_many_terms_are_refused_where_they_become_too_many() -> None:
    error = error_of("a " * MAX_TERMS + "b")

    assert (error.position, error.reason) == (2 * MAX_TERMS, "A query has 256 terms at most.")


@pytest.mark.parametrize("before", ["", "x:"])
def test_too_deep_a_query_is_refused_where_it_becomes_too_deep(before: str) -> None:
    error = error_of(before + "(" * 4_000)

    assert (error.position, error.reason) == (len(before) + MAX_DEPTH, "Parentheses are nested 32 deep at most.")

"""Errors of invalid queries."""

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
        ("AND a", 0, "AND is not allowed here."),
        ("a OR AND b", 5, "AND is not allowed here."),
        ("a OR", 4, "The query ends too early."),
        ("NOT", 3, "The query ends too early."),
        ("()", 1, ") is not allowed here."),
        ("(a OR )", 6, ") is not allowed here."),
        ("(x:(a) AND )", 11, ") is not allowed here."),
        ("a (b (c)", 2, "This parenthesis is not closed."),
        ("level:(warn", 6, "This parenthesis is not closed."),
        ("a) b", 1, "This parenthesis was never opened."),
        ('a "b c', 2, "The quotes that begin here are not closed."),
        ('x:"b c', 2, "The quotes that begin here are not closed."),
        ("level:", 6, "The query ends too early."),
        ("level: )", 7, "This parenthesis was never opened."),
        (":a", 0, ": is not allowed here."),
        ("state:OR", 6, "OR is not allowed here."),
        ("a - b", 2, "- has no letter or digit, so it is not a word."),
        ("response_time_ms > (500)", 17, "> needs a field before it and a value after it, such as level>error."),
        ('a ""', 2, "These quotes are empty."),
        ("a ti*out", 4, "An asterisk is only allowed at the end of a word; write \\* for the character itself."),
        ("*timeout", 0, "An asterisk is only allowed at the end of a word; write \\* for the character itself."),
        ("http.*:5", 0, "A field name cannot contain an asterisk; write http.\\* for the character itself."),
        ("attributes.:5", 0, "attributes. needs the name of an attribute."),
        ("a C:\\temp", 4, "A backslash escapes the special character after it; t is not special."),
        ('"a\\tb"', 2, "A backslash escapes the special character after it; t is not special."),
        ("a\\", 1, "A backslash escapes the special character after it; nothing follows here."),
        ("message:>5", 9, "message is searched by its words and cannot be compared."),
        ("response_time_ms:slow", 17, "slow is not a valid number for response_time_ms."),
        ("response_time_ms:5*", 17, "5* is not a valid number for response_time_ms."),
        ("response_time_ms:[1 TO x]", 23, "x is not a valid number for response_time_ms."),
        ("response_time_ms:>1e39", 18, "1e39 is not a valid number for response_time_ms."),
        ('response_time_ms:""', 17, '"" is not a valid number for response_time_ms.'),
        ("offset:-1", 7, "-1 is not a valid whole number for offset."),
        ("offset:18446744073709551616", 7, "18446744073709551616 is not a valid whole number for offset."),
        ("partition:1.5", 10, "1.5 is not a valid whole number for partition."),
        (
            "http.status_code:>=5xx",
            19,
            "http.status_code is an attribute, which is compared as a number; 5xx is not a number.",
        ),
        ("x:>nan", 3, "x is an attribute, which is compared as a number; nan is not a number."),
        ("service:>b", 9, "service is compared as a number; b is not a number."),
        ("level:>=loud", 8, "loud is not a valid level for level."),
        ("timestamp:>2026", 11, "2026 is not a valid time for timestamp."),
        ("timestamp:>2026-13-01", 11, "2026-13-01 is not a valid time for timestamp."),
        ("timestamp:>9999-01-01", 11, "9999-01-01 is not a valid time for timestamp."),
        ("timestamp:2026-11-23", 10, "timestamp is a time, which can only be compared or searched by range."),
        ("a \ud800", 2, "The query contains a lone surrogate."),
    ],
)
def test_an_error_has_a_reason_and_a_position(typed: str, position: int, reason: str) -> None:
    error = error_of(typed)

    assert (error.position, error.reason) == (position, reason)


@pytest.mark.parametrize("typed", ["x:[1 2]", "x:[1 TO 2", "x:[main]", "x:[1TO2]", "x:{a}"])
def test_an_invalid_range_explains_the_syntax(typed: str) -> None:
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
def test_an_error_lists_what_is_expected(typed: str, expected: tuple[str, ...]) -> None:
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
def test_an_error_suggests_the_probable_intent(typed: str, suggestion: str) -> None:
    assert error_of(typed).suggestion == suggestion


def test_an_error_shows_the_text_around_it() -> None:
    error = error_of("service:payment-service AND (level:>=warning OR level:>=loud) timeout")

    assert error.position == 56
    assert error.near == "=warning OR level:>=loud) timeout"


def test_an_error_reads_as_sentences() -> None:
    assert str(error_of("levl:>=warn")) == (
        "levl is an attribute, which is compared as a number; warn is not a number."
        " Expected: a number such as 500, 2.5 or 1e3. Did you mean level?"
    )
    assert str(error_of("a AND")) == ('The query ends too early. Expected: a word, text in "quotes", ( or NOT.')


def test_too_long_a_query_is_refused() -> None:
    error = error_of("ä" * (MAX_BYTES // 2) + "x")

    assert error.reason == "A query may have at most 8192 bytes; this one has 8193."


def test_too_many_terms_are_refused_where_they_become_too_many() -> None:
    error = error_of("a " * MAX_TERMS + "b")

    assert (error.position, error.reason) == (2 * MAX_TERMS, "A query may have at most 256 terms.")


@pytest.mark.parametrize("before", ["", "x:"])
def test_too_deep_a_query_is_refused_where_it_becomes_too_deep(before: str) -> None:
    error = error_of(before + "(" * 4_000)

    assert (error.position, error.reason) == (len(before) + MAX_DEPTH, "Parentheses may be nested at most 32 deep.")

"""Splitting text into words. contract/test_query_condition.py checks that the engine agrees."""

import pytest

from app.query.words import begins_with_word, ends_with_word, lowered, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("timeout", ["timeout"]),
        ("payment-service_2", ["payment", "service", "2"]),
        ("GET /api/v1?id=7", ["GET", "api", "v1", "id", "7"]),
        ("10.0.0.1:80", ["10", "0", "0", "1", "80"]),
        ("=> --", []),
        ("Ärger über e\u0301", ["Ärger", "über", "e\u0301"]),
        ("a😀b 日本", ["a😀b", "日本"]),
        ("a\0b\tc\nd", ["a", "b", "c", "d"]),
        ("a\u00a0b", ["a\u00a0b"]),  # a no-break space is not ASCII, and so a letter for the index
    ],
)
def test_a_word_is_ascii_letters_and_digits_and_whatever_is_not_ascii(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_case_is_a_matter_of_ascii_only() -> None:
    assert lowered("AZ ÄÖ İ \u212a ẞ") == "az ÄÖ İ \u212a ẞ"


@pytest.mark.parametrize(
    ("text", "begins", "ends"), [("a", True, True), ("a-", True, False), ("-ä", False, True), ("", False, False)]
)
def test_words_at_the_ends_are_recognised(text: str, begins: bool, ends: bool) -> None:
    assert (begins_with_word(text), ends_with_word(text)) == (begins, ends)

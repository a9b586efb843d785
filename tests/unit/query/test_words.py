"""Splitting text into words. contract/test_query_condition.py checks that the engine agrees."""

import pytest

from app.query.words import begins_with_word, ends_with_word, tokens_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Timeout", ["timeout"]),
        ("payment-service_2", ["payment", "service", "2"]),
        ("GET /api/v1?id=7", ["get", "api", "v1", "id", "7"]),
        ("10.0.0.1:80", ["10", "0", "0", "1", "80"]),
        ("=> --", []),
        ("Ärger über e\u0301", ["ärger", "über", "é"]),
        ("a😀b 日本", ["a", "😀", "b", "日", "本"]),
        ("a\0b\tc\nd", ["a", "b", "c", "d"]),
        ("a\u00a0b\u200bc", ["a", "b", "c"]),
        ("\u00a0\u200b\x1b[31m", []),
    ],
)
def test_a_word_is_a_run_of_letters_and_digits_or_a_sign_beyond_ascii(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_token_is_ascii_letters_and_digits_and_whatever_is_not_ascii() -> None:
    assert tokens_of("a-b\u00a0c 日本") == ["a", "b\u00a0c", "日本"]


@pytest.mark.parametrize(
    ("text", "begins", "ends"), [("a", True, True), ("a-", True, False), ("-ä", False, True), ("", False, False)]
)
def test_words_at_the_ends_are_recognised(text: str, begins: bool, ends: bool) -> None:
    assert (begins_with_word(text), ends_with_word(text)) == (begins, ends)

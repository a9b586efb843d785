"""The form of a message in which its words are found."""

import unicodedata

import pyarrow as pa
import pytest

from app.domain.words import EDGE, lowered, searched_form, searched_forms
from tests.query.evaluate import is_within_words


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Timeout: 10.0.0.1 payment_service", "timeout: 10.0.0.1 payment_service"),
        ("Ärger ΛΆΘΟΣ λάθος Ошибка", "ärger λάθοσ λάθοσ ошибка"),
        ("Re\u0301sume\u0301", "résumé"),
        ("İstanbul ẞ \u212a", "i\u0307stanbul ß k"),
        ("错误code42失败", "|错|误|code42|失|败|"),
        ("エラー ล้ม 오류가", "|エ|ラ|ー| |ล|\u0e49|ม| |오|류|가|"),
        ("“refused”—retry…", "|“|refused|”|—|retry|…|"),
        ("✓\ufe0f ok👍🏽", "|✓| ok|👍|🏽|"),
        ("card\u00a0declined\u3000\u2028", "card declined  "),
        ("time\u200bout, \u200btime\ufeff", "time out, time"),
        ("错\u200b误", "|错|误|"),
        ("می\u200cخواهم", "می خواهم"),
        ("[\x1b[1;31mERROR\x1b[0m] refused\x1b(B\x1b[m", "[error] refused"),
        ("a\x1b[31mb \x9b32mc", "a b c"),
        ("a\x1bb\x1b[31", "a b [31"),
        ("\x1b[31m", ""),
    ],
)
def test_words_are_written_as_they_are_found(text: str, form: str) -> None:
    assert searched_form(text).replace(EDGE, "|") == form


def test_a_letter_is_a_word_of_its_own_in_scripts_without_blanks_only() -> None:
    """The evaluator of queries knows scripts by the names of their letters, this form by ranges."""
    letters = [chr(code) for code in range(128, 0x110000) if unicodedata.category(chr(code))[0] in "LMNPS"]
    shown = [letter for letter in letters if searched_form(letter).strip(f"{EDGE}{letter.lower()}") == ""]

    differing = [letter for letter in shown if (EDGE in searched_form(letter)) == is_within_words(letter)]

    assert len(shown) > 140_000
    assert [f"{letter} U+{ord(letter):04X}" for letter in differing] == []


def test_a_message_that_is_its_own_form_has_none() -> None:
    messages = ["Timeout", "über", "Über", "\x1b[31mrefused", "\x1b[m", "", "错误"]

    forms = searched_forms(pa.array(messages)).to_pylist()

    assert forms == ["", "", "über", "refused", EDGE, "", f"{EDGE}错{EDGE}误{EDGE}"]
    assert searched_forms(pa.array(messages[:2]).slice(0, 1)).to_pylist() == [""]
    assert searched_forms(pa.array(messages).slice(3, 1)).to_pylist() == ["refused"]
    assert searched_forms(pa.array([], pa.string())).to_pylist() == []


def test_a_long_text_without_blanks_is_written_like_a_short_one() -> None:
    assert searched_form("错" * 5000) == (f"{EDGE}错" * 5000) + EDGE


def test_lowercase_of_the_engine_is_a_matter_of_ascii_only() -> None:
    assert lowered("AZ ÄÖ İ \u212a ẞ") == "az ÄÖ İ \u212a ẞ"

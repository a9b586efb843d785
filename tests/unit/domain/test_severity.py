"""Level words and their severities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.severity import SEVERITY_NUMBER, severity_of


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("trace TRACE finer FINEST trace8 T", "TRACE"),
        ("debug Debug FINE dbg D debug2", "DEBUG"),
        ("info INFO Information notice NOTICE note I INFO4", "INFO"),
        ("warn WARNING Warning W wrn WARN2", "WARN"),
        ("error ERR Severe E error3", "ERROR"),
        ("fatal CRITICAL crit alert EMERG emergency panic F FATAL4", "FATAL"),
    ],
)
def test_known_words_in_any_case_have_their_severity(words: str, severity: str) -> None:
    assert {severity_of(word) for word in words.split()} == {severity}


def test_blanks_around_a_word_do_not_matter() -> None:
    assert severity_of(" warn\t") == "WARN"


@pytest.mark.parametrize("word", ["", " ", "loud", "errors", "information overload", "3", "İNFO"])
def test_an_unknown_word_has_no_severity(word: str) -> None:
    assert severity_of(word) == ""


@given(st.text())
def test_every_word_has_a_severity_with_a_number(word: str) -> None:
    assert severity_of(word) in SEVERITY_NUMBER


def test_the_numbers_are_the_lowest_of_opentelemetrys_ranges() -> None:
    assert SEVERITY_NUMBER == {
        "": 0,
        "TRACE": 1,
        "DEBUG": 5,
        "INFO": 9,
        "WARN": 13,
        "ERROR": 17,
        "FATAL": 21,
    }

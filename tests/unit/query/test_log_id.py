"""The id of a log."""

from __future__ import annotations

import pytest

from app.query.log_id import LogId

ID = LogId(1_764_000_000_123_456_789, "Zk-_9aBcDeFgHiJkLmNoPq", 3, 2**64 - 1, 65_535)


def test_an_id_is_a_word_that_can_be_read_back() -> None:
    text = str(ID)

    assert LogId.read(text) == ID
    assert text == "1764000000123456789-3-18446744073709551615-65535-Zk-_9aBcDeFgHiJkLmNoPq"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1-2-3-4",
        "1-2-3-4-a b",
        "-1-2-3-4-t",
        "1-2-3-4-t'",
        "1-2-3-x-t",
        "é",
    ],
)
def test_an_invalid_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a log"):
        LogId.read(text)


@pytest.mark.parametrize(
    "text", ["1-65536-3-4-t", "1-2-3-65536-t", "1-2-18446744073709551616-4-t", "9999999999999999999-2-3-4-t"]
)
def test_values_too_large_for_their_column_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a log"):
        LogId.read(text)


def test_ids_are_ordered_by_time_and_then_by_position() -> None:
    earlier = LogId(1, "z", 9, 9, 9)
    first, second, third = LogId(2, "a", 1, 5, 0), LogId(2, "a", 1, 5, 1), LogId(2, "a", 2, 0, 0)

    assert sorted([third, second, earlier, first]) == [earlier, first, second, third]

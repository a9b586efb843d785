"""Names of keys: one spelling, and each name once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.keys import one_spelling, remember, unused_name, with_names_once


@pytest.mark.parametrize("name", ["trace_id", "traceId", "TraceID", "trace-id", "TRACE ID", "_trace__id"])
def test_a_name_has_one_spelling(name: str) -> None:
    assert one_spelling(name) == "traceid"


def test_dots_are_no_part_of_the_spelling_that_is_left_out() -> None:
    assert one_spelling("Log.Level") == "log.level"


@given(st.lists(st.tuples(st.sampled_from(["a", "a_2", "b"]), st.integers(0, 3) | st.booleans()), max_size=8))
def test_every_name_is_there_once_and_every_value_is_kept(pairs: list[tuple[str, Any]]) -> None:
    found = with_names_once(pairs)

    assert len({name for name, _ in found}) == len(found)
    assert {(type(value), value) for _, value in found} == {(type(value), value) for _, value in pairs}


def test_many_values_of_one_name_take_linear_time() -> None:
    found = with_names_once([("k", number) for number in range(100_000)])

    assert (found[0], found[-1]) == (("k", 0), ("k_100000", 99_999))


def test_a_name_that_nobody_uses() -> None:
    assert (unused_name("a", {"b"}), unused_name("a", {"a", "a_2"})) == ("a", "a_3")


def test_a_cache_is_emptied_when_it_is_full() -> None:
    cache: dict[int, int] = {}
    for number in range(25):
        remember(cache, number, number, 10)

    assert cache == {number: number for number in range(20, 25)}

"""A time range in pieces."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from app.query.time_range import SECOND_NS, TimeRange
from app.query.windows import Expected, newest_first, oldest_first

DAY = TimeRange(0, 86_400 * SECOND_NS)

spans = st.tuples(st.integers(0, 2**62), st.integers(1, 2**61)).map(lambda ends: TimeRange(ends[0], sum(ends)))


expectations = st.builds(Expected, st.floats(0, 1e9), st.floats(0, 1e9), st.booleans())


@given(spans, expectations, st.integers(1, 1_000_000), st.integers(0, 1_000_000))
@example(TimeRange(0, 1), Expected(5e-324), 1, 0)  # more seconds than a number holds
@example(TimeRange(0, 10), Expected(1.0, 1.0), 1, 1)  # nothing but silence
def test_pieces_follow_one_another_from_the_newest_to_the_oldest(
    span: TimeRange, expected: Expected, wanted: int, found: int
) -> None:
    pieces = list(newest_first(span, expected=expected, wanted_rows=wanted, found_rows=lambda: found))

    assert pieces[0].end_ns == span.end_ns
    assert pieces[-1].start_ns == span.start_ns
    assert [piece.start_ns for piece in pieces[:-1]] == [piece.end_ns for piece in pieces[1:]]
    assert all(piece.start_ns < piece.end_ns for piece in pieces)


@given(spans, expectations, st.integers(1, 1_000_000), st.integers(0, 1_000_000))
def test_from_the_other_end_it_is_the_same_in_a_mirror(
    span: TimeRange, expected: Expected, wanted: int, found: int
) -> None:
    pieces = list(oldest_first(span, expected=expected, wanted_rows=wanted, found_rows=lambda: found))

    assert pieces[0].start_ns == span.start_ns
    assert pieces[-1].end_ns == span.end_ns
    assert [piece.end_ns for piece in pieces[:-1]] == [piece.start_ns for piece in pieces[1:]]


def test_the_first_piece_is_as_long_as_the_wanted_rows_need_and_the_next_ones_are_longer_if_nothing_is_found() -> None:
    pieces = list(newest_first(DAY, expected=Expected(100), wanted_rows=1000, found_rows=lambda: 0))

    assert [piece.seconds for piece in pieces] == [40, 40 * 32, 40 * 32**2, 86_400 - 40 * (1 + 32 + 32**2)]


def test_where_the_logs_were_counted_the_first_piece_is_half_as_long() -> None:
    pieces = newest_first(DAY, expected=Expected(100, is_counted=True), wanted_rows=1000, found_rows=lambda: 0)

    assert next(pieces).seconds == 20


def test_the_next_piece_is_as_long_as_the_missing_rows_need_if_they_go_on_as_before() -> None:
    pieces = newest_first(DAY, expected=Expected(100), wanted_rows=1000, found_rows=lambda: 100)

    assert [next(pieces).seconds for _ in range(3)] == [40, 2 * 9 * 40, 2 * 9 * 19 * 40]


def test_the_next_piece_is_twice_as_long_even_if_hardly_anything_is_missing() -> None:
    pieces = newest_first(DAY, expected=Expected(100), wanted_rows=1000, found_rows=lambda: 999)

    assert [next(pieces).seconds for _ in range(3)] == [40, 80, 160]


def test_the_first_piece_includes_the_time_without_logs_and_later_ones_are_as_long_as_without() -> None:
    pieces = list(newest_first(DAY, expected=Expected(100, 7200), wanted_rows=1000, found_rows=lambda: 0))

    assert [piece.seconds for piece in pieces[:2]] == [7200 + 40, 40 * 32]


def test_how_many_rows_are_missing_is_judged_without_the_time_without_logs() -> None:
    pieces = newest_first(DAY, expected=Expected(100, 7200), wanted_rows=1000, found_rows=lambda: 100)

    assert [next(pieces).seconds for _ in range(2)] == [7200 + 40, 2 * 9 * 40]


def test_the_denser_the_logs_the_shorter_the_first_piece_but_never_below_some_seconds() -> None:
    first = next(newest_first(DAY, expected=Expected(1e6), wanted_rows=100, found_rows=lambda: 0))

    assert first.seconds == 3


def test_with_unknown_density_the_first_piece_is_still_short() -> None:
    pieces = list(newest_first(DAY, expected=Expected(0), wanted_rows=100, found_rows=lambda: 0))

    assert [piece.seconds for piece in pieces] == [600, 600 * 32, 86_400 - 600 * 33]

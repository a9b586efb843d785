"""Cuts a time range into windows, from one end: for most queries of the nearest logs a small first window suffices."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from app.query.time_range import SECOND_NS, TimeRange

_LEAST_NS: Final = 3 * SECOND_NS  # what was sent a moment ago is not stored yet
_UNKNOWN_NS: Final = 600 * SECOND_NS  # if the density is unknown, or no logs were counted
_MARGIN: Final = 4  # the first window is this many times as long as a guess
_MARGIN_OF_COUNTED: Final = 2  # where logs were counted, and for later windows, which know what was found
# A rare word takes few windows, and a common one never reads much more than needed.
_LEAST_GROWTH, _MOST_GROWTH = 2, 32


class Expected(Struct, frozen=True):
    """What is expected at the end of a range that is read first."""

    rows_per_sec: float = 0.0
    """The density of matching logs; 0 if there are none or it is unknown."""
    quiet_secs: float = 0.0
    """How long before the end the last of them was. They had the density until then."""
    is_counted: bool = False
    """Whether enough of these very logs were counted lately, so that the density is more than a guess."""


def newest_first(
    span: TimeRange, *, expected: Expected, wanted_rows: int, found_rows: Callable[[], int]
) -> Iterator[TimeRange]:
    """Windows that cover the range without overlap. The first is as long as `wanted_rows` should need, with a margin.

    `found_rows` is called before each further window, and returns how many rows the earlier ones held.
    """
    width_ns = _UNKNOWN_NS
    if expected.rows_per_sec > 0:
        margin = _MARGIN_OF_COUNTED if expected.is_counted else _MARGIN
        enough_secs = min(margin * wanted_rows / expected.rows_per_sec, span.seconds)
        width_ns = max(_LEAST_NS, round(enough_secs * SECOND_NS))
    end_ns = span.end_ns
    quiet_end_ns = max(span.start_ns, end_ns - round(expected.quiet_secs * SECOND_NS))
    start_ns = quiet_end_ns - width_ns
    while end_ns > span.start_ns:
        # The last window includes a rest that would be too short for another one.
        if start_ns - span.start_ns <= width_ns:
            start_ns = span.start_ns
        yield TimeRange(start_ns, end_ns)
        end_ns = start_ns
        width_ns *= _growth(width_ns, quiet_end_ns - end_ns, found_rows(), wanted_rows)
        start_ns = end_ns - width_ns


def oldest_first(
    span: TimeRange, *, expected: Expected, wanted_rows: int, found_rows: Callable[[], int]
) -> Iterator[TimeRange]:
    """Like `newest_first`, from the other end."""
    both_ends_ns = span.start_ns + span.end_ns
    pieces = newest_first(span, expected=expected, wanted_rows=wanted_rows, found_rows=found_rows)
    for piece in pieces:
        yield TimeRange(both_ends_ns - piece.end_ns, both_ends_ns - piece.start_ns)


def _growth(width_ns: int, seen_ns: int, found_rows: int, wanted_rows: int) -> int:
    """The length of the next window as a multiple of the last, if rows keep matching at the rate seen so far."""
    if not found_rows:
        return _MOST_GROWTH
    needed_ns = _MARGIN_OF_COUNTED * seen_ns * (wanted_rows - found_rows) // found_rows
    return min(max(_LEAST_GROWTH, -(-needed_ns // width_ns)), _MOST_GROWTH)

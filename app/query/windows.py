"""A time range in windows, from one end on: a small first window answers most searches for the nearest logs."""

from collections.abc import Callable, Iterator
from typing import Final

from app.query.time_range import SECOND_NS, TimeRange

_LEAST_NS: Final = SECOND_NS
_UNKNOWN_NS: Final = 600 * SECOND_NS  # where the density is unknown, for want of logs or of a result
_MARGIN: Final = 4  # times as long as it should take, for the first piece
_LATER_MARGIN: Final = 2  # for the others, which know more
# Few pieces for a rare word, and never much more read than was needed for a common one.
_LEAST_GROWTH, _MOST_GROWTH = 2, 32


def newest_first(
    span: TimeRange, *, rows_per_sec: float, wanted_rows: int, found_rows: Callable[[], int]
) -> Iterator[TimeRange]:
    """Windows that cover the range without overlap, the first as long as `wanted_rows` should need.

    `found_rows` is asked before each other one, and says how many rows those before it held.
    """
    width_ns = _UNKNOWN_NS
    if rows_per_sec > 0:
        enough_secs = min(_MARGIN * wanted_rows / rows_per_sec, span.seconds)
        width_ns = max(_LEAST_NS, round(enough_secs * SECOND_NS))
    end_ns = span.end_ns
    while end_ns > span.start_ns:
        # The last piece takes what would be too little for one more.
        start_ns = end_ns - width_ns if end_ns - span.start_ns > 2 * width_ns else span.start_ns
        yield TimeRange(start_ns, end_ns)
        end_ns = start_ns
        width_ns *= _growth(width_ns, span.end_ns - end_ns, found_rows(), wanted_rows)


def oldest_first(
    span: TimeRange, *, rows_per_sec: float, wanted_rows: int, found_rows: Callable[[], int]
) -> Iterator[TimeRange]:
    """The same from the other end."""
    both_ends_ns = span.start_ns + span.end_ns
    pieces = newest_first(span, rows_per_sec=rows_per_sec, wanted_rows=wanted_rows, found_rows=found_rows)
    for piece in pieces:
        yield TimeRange(both_ends_ns - piece.end_ns, both_ends_ns - piece.start_ns)


def _growth(width_ns: int, seen_ns: int, found_rows: int, wanted_rows: int) -> int:
    """How many times as long as the last piece the next one is, if matching rows go on as in what was seen."""
    if not found_rows:
        return _MOST_GROWTH
    needed_ns = _LATER_MARGIN * seen_ns * (wanted_rows - found_rows) // found_rows
    return min(max(_LEAST_GROWTH, -(-needed_ns // width_ns)), _MOST_GROWTH)

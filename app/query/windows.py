"""A time range in pieces, from one end on: most questions for the nearest logs are answered by a small first piece."""

from collections.abc import Iterator
from typing import Final

from app.query.time_range import SECOND_NS, TimeRange

_LEAST_NS: Final = SECOND_NS
_UNKNOWN_NS: Final = 600 * SECOND_NS  # where nobody knows how dense logs are, for want of logs or of an answer
_GROWTH: Final = 8  # few pieces for a rare word, and never much more read than was needed for a common one
_ENOUGH: Final = 4  # times the rows that are wanted: what is asked for is not everything that is logged


def newest_first(span: TimeRange, *, rows_per_sec: float, wanted_rows: int) -> Iterator[TimeRange]:
    """Pieces that cover the range without overlap; the first is as long as so many rows need, each next one longer."""
    width_ns = _UNKNOWN_NS
    if rows_per_sec > 0:
        enough_secs = min(_ENOUGH * wanted_rows / rows_per_sec, span.seconds)
        width_ns = max(_LEAST_NS, round(enough_secs * SECOND_NS))
    end_ns = span.end_ns
    while end_ns > span.start_ns:
        # The last piece takes what would be too little for one more.
        start_ns = end_ns - width_ns if end_ns - span.start_ns > 2 * width_ns else span.start_ns
        yield TimeRange(start_ns, end_ns)
        end_ns = start_ns
        width_ns *= _GROWTH


def oldest_first(span: TimeRange, *, rows_per_sec: float, wanted_rows: int) -> Iterator[TimeRange]:
    """The same from the other end."""
    both_ends_ns = span.start_ns + span.end_ns
    for piece in newest_first(span, rows_per_sec=rows_per_sec, wanted_rows=wanted_rows):
        yield TimeRange(both_ends_ns - piece.end_ns, both_ends_ns - piece.start_ns)

"""Word lookup: reads the whole range at once for a word that few logs have, since the text index knows where they are.

Whether they are few is learnt from the index, before anything is read. Where they are many, windows read less.
"""

import re
from collections.abc import Iterator
from typing import Final

from app.query.condition import Condition
from app.query.time_range import TimeRange
from app.query.windowed_scan import FEW_ROWS, Piece, Scans, WindowedScan

# Nearly each is in few logs. Shorter ones often name a version or an instance, which many logs have.
_ID: Final = re.compile(r"(?=.*\d)[0-9a-z]{12,}")


def word_pieces(scans: Scans, scan: WindowedScan, condition: Condition, span: TimeRange) -> Iterator[Piece]:
    """The pieces of a range to read for a condition with words, the newest first.

    The whole range is tried first for what looks like an id, and for other words if the first window has no match.
    """
    is_first = True
    if any(map(_ID.fullmatch, condition.words)):
        is_first = False
        yield Piece(span, most_rows=FEW_ROWS)
    for window in scans.newest_windows(scan, span, condition):
        yield window
        if is_first and not scan.found_rows and span.start_ns < window.span.start_ns:
            yield Piece(TimeRange(span.start_ns, window.span.start_ns), most_rows=FEW_ROWS)
        is_first = False

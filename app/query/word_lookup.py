"""Word lookup: reads the whole range at once for an id, which few logs have; the text index knows where they are.

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

    The whole range is tried first for what looks like an id. That the newest logs do not have another word says too
    little: where some hundred logs of the range have it, the try would be for nothing.
    """
    if any(map(_ID.fullmatch, condition.words)):
        yield Piece(span, most_rows=FEW_ROWS)
    yield from scans.newest_windows(scan, span, condition)

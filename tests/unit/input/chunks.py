"""Texts in chunks, as they come from files and pipes."""

import tracemalloc
from collections.abc import Iterable, Sequence
from itertools import pairwise


def cut(text: bytes, places: Sequence[int]) -> list[bytes]:
    """The text in chunks that end at these places."""
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(ends) if start < end]


def peak_bytes(found: Iterable[object]) -> int:
    """The most memory that is held while all of these are read, and none is kept."""
    tracemalloc.start()
    try:
        for _ in found:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

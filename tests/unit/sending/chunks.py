"""Texts in chunks, as they come from files and pipes."""

from collections.abc import Sequence
from itertools import pairwise


def cut(text: bytes, places: Sequence[int]) -> list[bytes]:
    """The text in chunks that end at these places."""
    ends = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(ends) if start < end]

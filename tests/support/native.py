"""Compiled code, for the tests that hold it to the reference. They are skipped where it is not installed."""

from __future__ import annotations

from array import array
from functools import partial

import pytest
from msgspec.structs import replace

from app.build.native import installed
from app.domain.event_time import EventTimeBounds
from app.domain.records import RecordChunk
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import read_rows
from app.pipeline.decoded import ReadChunk
from app.pipeline.native_reader import NativeReader

needs_native = pytest.mark.skipif(
    installed().new_reader is None, reason=f"{installed().missing} (`make native` installs it)"
)


def native_reader(
    bounds: EventTimeBounds,
    rules: ReadingRules = DEFAULT_RULES,
    read_others: ReadChunk | None = None,
) -> ReadChunk:
    """A reader of chunks by compiled code, which remembers nothing yet; what that leaves the reference reads."""
    new_reader = installed().new_reader
    assert new_reader is not None
    reference = partial(read_rows, bounds=bounds, rules=rules, reader="")
    return NativeReader(new_reader, bounds, rules, "", read_others or reference)


def packed(chunk: RecordChunk) -> RecordChunk:
    """The same records as they come from the compiled fetcher: each part of them in one piece of memory."""
    from log_decoder import Values

    return replace(
        chunk,
        values=Values(list(chunk.values)),
        offsets=memoryview(array("q", chunk.offsets)),
        timestamps_ms=memoryview(array("q", chunk.timestamps_ms)),
    )

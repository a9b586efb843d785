"""Any bytes become rows: nothing raises, the same bytes give the same rows, and work grows with the size.

Run it longer by hand with `FUZZ_RECORDS=100000 FUZZ_SEED=7 pytest tests/unit/formats/test_any_bytes.py`.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from random import Random
from types import FrameType
from typing import Final

import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.rows import Rows
from app.pipeline.decode import decode
from tests.golden.corpus import records
from tests.support.hostile import HOSTILE
from tests.support.sample_rows import sample_chunk
from tests.support.text_programs import LINES

RECORDS: Final = int(os.environ.get("FUZZ_RECORDS", "1500"))
SEED: Final = int(os.environ.get("FUZZ_SEED", "14"))
BOUNDS: Final = EventTimeBounds.of_retention(30)

ODD: Final = (
    *(b"", b" ", b"\n", b"\0", b"\xff", b"\xe6\x97", b'"', b"\\", b"{", b"}", b"[", b"]", b"<34>", b"@cee: ", b": "),
    *(b"2026-11-29T10:15:01.5Z ", b"10:15:01 PM", b"03/04/2026 ", b"Nov 29 10:15:01 ", b"1795947301", b" CST "),
    *(b" stdout F ", b"web-1  | ", b"[pod/a/b] ", b'{"log":"', b'","stream":"stderr"}', b'"level":', b"null", b"1e999"),
    *(b"\x1b[31m", b"ERROR", b"[error]", b"level=warn ", b"9" * 40, b"\\ud800", b"\xe2\x80\x8b", "日志İ".encode()),
    *(b"\x1f\x8b", b"\n\x02\x12\x00", b"\0\0\0\0\1{", b'{"@mt":"{a}","a":', b'{"resourceLogs":[', b"\r\n", b"\t", b"|"),
)  # fmt: skip


KNOWN: Final = [
    value
    for value in [*(value for value in records()[0] if value), *(line.text.encode() for line in LINES)]
    if len(value) < 4000
]
"""JSON events, carriers, and lines of many programs."""


def changed(rng: Random, known: list[bytes]) -> bytes:
    """A known record or a hostile one, spliced with others, with pieces left out, repeated and put in."""
    value = rng.choice(known) if rng.random() < 0.8 else rng.choice(list(HOSTILE.values()))(rng.randrange(1, 2000))
    for _ in range(rng.randrange(1, 5)):
        start, end = sorted((rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)))
        match rng.randrange(7):
            case 0:
                value = value[:start] + rng.choice(ODD) + value[start:]
            case 1:
                value = value[:start] + value[end:]
            case 2:
                value = value[:end] + value[start:end] * rng.randrange(1, 4) + value[end:]
            case 3:
                value = value[:start] + rng.choice(known)[-rng.randrange(1, 200) :]
            case 4:
                value = value[:start] + rng.randbytes(rng.randrange(1, 6)) + value[end:]
            case 5:
                value = json.dumps(
                    {rng.choice(("log", "message", "MESSAGE", "x")): value.decode(errors="replace")}
                ).encode()
            case _:
                value = rng.choice(ODD) + value
    return value[:20_000]


def rows_of(value: bytes) -> Rows:
    """The rows of a record."""
    return decode(sample_chunk([value]), BOUNDS).rows


def test_any_bytes_become_the_same_rows_every_time() -> None:
    rng = Random(SEED)
    for _ in range(RECORDS):
        value = changed(rng, KNOWN)
        try:
            rows = rows_of(value)
            assert rows.num_rows >= 1
            assert rows.equals(rows_of(value))
        except Exception as error:
            error.add_note(f"record: {value!r}")
            raise


def calls_of(value: bytes) -> int:
    """How many functions are called to read a record: a measure of work that is the same on every machine."""
    count = 0

    def on_event(_frame: FrameType, event: str, _of: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    chunk = sample_chunk([value])
    decode(chunk, BOUNDS)
    before = sys.getprofile()
    gc.disable()  # others may have asked to be called when it runs
    sys.setprofile(on_event)
    try:
        decode(chunk, BOUNDS)
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_four_times_the_size_is_no_more_than_a_multiple_of_the_work(name: str) -> None:
    """Sixteen times would be the square of it; less than four is usual, eight is too much."""
    small, large = HOSTILE[name](6_000), HOSTILE[name](24_000)

    assert calls_of(large) < 8 * calls_of(small)


FEW_CALLS: Final = 100
TEXTS: Final = [name for name in HOSTILE if not name.startswith(("JSON", "CloudWatch", "Loki", "OTLP", "records"))]


@pytest.mark.parametrize("name", TEXTS)
def test_of_a_text_only_the_head_is_read(name: str) -> None:
    """Patterns run over a bounded part, so that none of them takes longer with a longer text."""
    assert calls_of(HOSTILE[name](400_000)) <= calls_of(HOSTILE[name](40_000)) + FEW_CALLS

"""The records to send: the lines of a file or of standard input, or generated events; and their keys."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sending.sample_logs import SampleLogs


class Line(NamedTuple):
    """One line of the input. `value` has no line end, and is None if the line is longer than a record may be."""

    number: int
    value: bytes | None
    size_bytes: int  # with the line end


def open_input(path: str) -> BinaryIO:
    """A file, or standard input if the path is `-`.

    Raises:
        OSError: it cannot be read.
    """
    # A separate stream on standard input: Python's own cannot be closed at exit while a thread waits on it.
    return os.fdopen(os.dup(0), "rb") if path == "-" else Path(path).open("rb")


def known_bytes(stream: BinaryIO) -> int:
    """Size of the input in bytes; 0 if it is unknown, as for a pipe."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def read_lines(stream: BinaryIO, max_bytes: int) -> Iterator[Line]:
    r"""The lines of a stream, without their `\n` or `\r\n`, in constant memory and as soon as each is complete."""
    for number in count(1):
        raw = stream.readline(max_bytes + 2)
        if not raw:
            return
        if raw.endswith(b"\n"):
            yield Line(number, raw[:-1].removesuffix(b"\r"), len(raw))
        elif len(raw) < max_bytes + 2:
            yield Line(number, raw, len(raw))  # the last one
        else:
            yield Line(number, None, len(raw) + _skip_rest_of_line(stream))


def _skip_rest_of_line(stream: BinaryIO) -> int:
    skipped = 0
    while piece := stream.readline(64 * 1024):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def generated_lines(seed: int | None) -> Iterator[Line]:
    """An endless stream of sample events."""
    return (Line(number, event, len(event)) for number, event in enumerate(SampleLogs(seed), start=1))


def key_from_field(name: str) -> Callable[[bytes], bytes | None]:
    """A function that returns a record's key: the value of this field if the record is a JSON object that has it."""

    def key_of(value: bytes) -> bytes | None:
        try:
            event = json.loads(value)
        except (ValueError, RecursionError):
            return None
        found = event.get(name) if isinstance(event, dict) else None
        if found is None:
            return None
        return (found if isinstance(found, str) else json.dumps(found)).encode(errors="replace")

    return key_of

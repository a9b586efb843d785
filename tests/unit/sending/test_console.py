"""Output that cannot be written, because the reader has gone or the disk is full."""

import os
from pathlib import Path

import pytest

from sending.console import say, write

FULL = Path("/dev/full")
needs_a_full_device = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def test_a_reader_that_has_gone_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)

    with os.fdopen(write_end, "w") as out:
        say("nobody reads this", out)
        say("nor this", out)


@needs_a_full_device
def test_a_full_disk_is_an_error_once_and_then_nothing_is_written_there() -> None:
    with FULL.open("w") as out:
        with pytest.raises(OSError, match="No space left on device"):
            write("no room for this", out)
        write("nor for this", out)


@needs_a_full_device
def test_optional_output_is_dropped_when_the_disk_is_full() -> None:
    with FULL.open("w") as out:
        say("no room for this", out)
        say("nor for this", out)

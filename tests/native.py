"""`python -m tests.native --records 100000`: holds compiled code to the reference with random records.

Prints the records of which the two make different rows. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from random import Random

from app.console import say
from app.domain.event_time import EventTimeBounds
from app.formats.reading import DEFAULT_RULES
from app.pipeline.decode import decode
from app.pipeline.decoded import ReadChunk, decoded
from tests.support.json_records import chunk_of, record
from tests.support.native import native_reader, packed

_BOUNDS = EventTimeBounds.of_retention(30)
_CHUNK = 100


def main(arguments: list[str]) -> int:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.native", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first hundred; the others have the next ones")
    options = parser.parse_args(arguments)
    read = native_reader(_BOUNDS)
    different: list[bytes] = []
    for seed in range(options.seed, options.seed + max(1, options.records // _CHUNK)):
        rng = Random(seed)
        values = [record(rng) for _ in range(_CHUNK)]
        if _differ(read, values):
            different += [value for value in values if _differ(read, [value])] or values
    for value in different:
        say(repr(value))
    say(f"{options.records:,} records, {len(different)} different")
    return 1 if different else 0


def _differ(read: ReadChunk, values: list[bytes]) -> bool:
    chunk = chunk_of(values)
    expected, found = decode(chunk, _BOUNDS), decoded(read(packed(chunk)), DEFAULT_RULES)
    return not (found.rows.equals(expected.rows) and found.problems == expected.problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

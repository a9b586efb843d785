"""`python -m bench.reading`: how fast records are read: JSON events, lines of text by layout, and hostile records.

All in one process and in turns, so that a disturbance hits all alike; each figure is the fastest turn. From bytes to
the columns of a batch, which is all that the service does between Kafka and the insert. No stack is started.
"""

from __future__ import annotations

import argparse
import gc
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import RULES, masking_of
from app.domain.records import Partition, RecordChunk
from app.domain.times.reading import TEN_MINUTES_MS
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import decode
from bench.command import RESULTS, circumstances_as_context, positive, run
from bench.machine import machine
from bench.reading_lines import COMMON, EVENTS, RARE, written
from bench.report import table as as_table
from bench.report import write_results
from bench.workload import backlog_events
from tests.support.hostile import HOSTILE

_NAME: Final = "reading"
_CHUNK: Final = 1000
_MEGABYTE: Final = 1_000_000
_RECORD_MS: Final = 1_795_947_360_000  # a minute after the lines
_BOUNDS: Final = EventTimeBounds.of_retention(30)
_SAMPLES: Final = "the sample logs"
_MASKING: Final = ReadingRules(masking=masking_of(",".join(RULES), ""))
_TITLE: Final = "JSON events, all rules of MASK"
_SECRET: Final = b', "password": "hunter2", "card": "4111 1111 1111 1111"}'


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description="How fast records are read.")
    parser.add_argument("--turns", type=positive, default=15, help="of each kind (default: 15)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    gc.freeze()  # as the service does
    gc.set_threshold(200_000, 20, 20)
    events = {_SAMPLES: list(backlog_events(_CHUNK))} | _texts(EVENTS)
    found = {
        "events": _micros(events, options.turns),
        "common": _micros(_texts(COMMON), options.turns),
        "rare": _micros(_texts(RARE), options.turns),
        "masked": _masked(events, options.turns),
        "hostile": _millis(options.turns),
    }
    about = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", "bench.reading", "--turns", str(options.turns)]),
        "machine": machine(),
    }
    page = "\n".join(_page(about, found)) + "\n"
    print(page)
    for path in write_results(options.results, _NAME, page, {**about, **found}):
        print(f"Written: {path}")
    return 0


def _texts(templates: Mapping[str, str]) -> dict[str, list[bytes]]:
    return {name: [written(template, number) for number in range(_CHUNK)] for name, template in templates.items()}


def _chunk(values: Sequence[bytes], first_ms: int = _RECORD_MS) -> RecordChunk:
    count = len(values)
    times = [first_ms + number // 10 for number in range(count)]
    return RecordChunk(Partition("bench", 0), "bench", range(count), times, values, [()] * count, count)


def _micros(kinds: Mapping[str, Sequence[bytes]], turns: int, rules: ReadingRules = DEFAULT_RULES) -> dict[str, float]:
    """Microseconds of a record of each kind."""
    now_ms = time.time_ns() // 10**6 + TEN_MINUTES_MS
    chunks = {
        name: _chunk(values, now_ms if name.startswith(_SAMPLES) else _RECORD_MS) for name, values in kinds.items()
    }
    return {name: secs / _CHUNK * 1e6 for name, secs in _fastest(chunks, turns, rules).items()}


def _masked(events: Mapping[str, Sequence[bytes]], turns: int) -> dict[str, float]:
    """Microseconds of a record of each kind if all rules mask, and of the sample logs if each has two secrets."""
    with_secrets = [value.rstrip().removesuffix(b"}") + _SECRET for value in events[_SAMPLES]]
    return _micros({**events, f"{_SAMPLES}, two secrets in each": with_secrets}, turns, _MASKING)


def _millis(turns: int) -> dict[str, float]:
    """Milliseconds of a megabyte of each hostile kind that stays one event."""
    found = {}
    for name, hostile in HOSTILE.items():
        chunk = _chunk([hostile(_MEGABYTE)])
        first = _secs(partial(decode, chunk, _BOUNDS))
        least = first if first > 0.5 else min(first, _fastest({name: chunk}, min(turns, 5))[name])
        found[name] = least * 1000 / len(chunk.values[0] or b"") * _MEGABYTE
    return found


def _fastest(chunks: Mapping[str, RecordChunk], turns: int, rules: ReadingRules = DEFAULT_RULES) -> dict[str, float]:
    """The seconds of the fastest turn of each chunk."""
    least: dict[str, float] = {}
    for _ in range(turns):
        for name, chunk in chunks.items():
            secs = _secs(partial(decode, chunk, _BOUNDS, rules))
            least[name] = min(secs, least.get(name, secs))
    return least


def _secs(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _page(about: Mapping[str, Any], found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    common = sorted(found["common"].values())
    typical = common[len(common) // 2]
    yield "# How fast records are read"
    yield ""
    for name, value in circumstances_as_context(about).items():
        yield f"- {name}: {value}"
    yield f"- One core. From bytes to columns, in chunks of {_CHUNK:,} records; each figure is the fastest turn"
    yield f"- Slowest layout: {max(found['rare'].values()) / typical:.1f} times the median of the common ones"
    for name, title in (
        ("events", "JSON events"),
        ("common", "Lines of common layouts"),
        ("rare", "Rarer lines"),
        ("masked", _TITLE),
    ):
        yield from ("", f"## {title}", "")
        yield from as_table(
            ("Kind", "us each", "per second", "times a common line"),
            [
                (kind, f"{micros:.2f}", f"{1e6 / micros:,.0f}", f"{micros / typical:.2f}")
                for kind, micros in sorted(found[name].items(), key=lambda pair: pair[1])
            ],
        )
    yield from ("", "## Hostile records of a megabyte", "")
    yield "The slowest first. Those with many events in them cost what these cost."
    yield ""
    slowest = sorted(found["hostile"].items(), key=lambda pair: -pair[1])
    yield from as_table(("Kind", "ms"), [(kind, f"{millis:.1f}") for kind, millis in slowest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

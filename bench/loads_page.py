"""`python -m bench.loads_page`: docs/loads.md, from the results of benches that measure other loads than the usual one.

They write it again whenever they store results. A section whose results are missing is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from bench.command import RESULTS
from bench.report import table
from bench.svg_bars import Group, bars
from local.paths import ROOT

PAGE: Final = ROOT / "docs" / "loads.md"


@dataclass(frozen=True, slots=True)
class _Section:
    """A bench of cases: its results are `name`; the chart has a bar for each measure, with its label."""

    name: str
    title: str
    text: str
    bars: Mapping[str, str]


_INTRODUCTION: Final = """\
# Under other loads

What the service does with other messages, more instances, several rates, nothing to do, and many readers. The benches
write this page; each command repeats its section, and all other measurements are in [bench](../bench/README.md). One
machine, of which sender, broker, engine and service share the cores.
"""

_SECTIONS: Final = (
    _Section(
        "message_kinds",
        "Kinds and sizes of messages",
        "Drains of a backlog on 4 partitions into the full table. OTLP records are those that the receiver puts on the"
        " topic for requests of 1,000 events, with their receipts.",
        {"service_cpu_secs_per_million": "service, CPU s per million", "engine_cpu_secs_per_million": "engine"},
    ),
    _Section(
        "message_kinds_small",
        "The same with one processor and 512 MiB for the service",
        "",
        {},
    ),
    _Section(
        "workers",
        "Several instances in one group",
        "8 partitions, which the instances share before all events come at the same moment. Broker, engine and all"
        " instances share the cores, so more instances than cores cannot be faster here.",
        {"events_per_sec": "rows/s"},
    ),
    _Section(
        "latency_rates",
        "From an event to its row",
        "A log can be queried as soon as its row is stored. A batch is stored when its oldest row is a second old"
        " (`BATCH_MAX_AGE_SECS`), or when it is full.",
        {"latency_p50_secs": "p50, s", "latency_p99_secs": "p99, s", "latency_p999_secs": "p99.9, s"},
    ),
    _Section(
        "idle",
        "Idle",
        "Every process of `make run`. Without logs the broker's threads look at their queues several times a second.",
        {"cpu_at_0": "without logs, % of a core", "cpu_at_20": "20 logs/s, % of a core"},
    ),
    _Section(
        "query_throughput",
        "Queries per second",
        "Clients that each ask the next query as soon as they have the last answer. How long each kind takes is in"
        " [query_latency.md](../bench/results/query_latency.md).",
        {"queries_per_sec": "queries/s"},
    ),
)


def main(arguments: list[str]) -> int:
    """Write the page from the results that are stored. Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.loads_page", description="Write docs/loads.md.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    for path in write_page(parser.parse_args(arguments).results, PAGE):
        print(f"Written: {path}")
    return 0


def write_page(results: Path, page: Path) -> Sequence[Path]:
    """Write the page and its charts, from the results in this directory; returns the paths."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    found = [
        (section, json.loads(path.read_text())) for section in _SECTIONS if (path := _path(results, section)).exists()
    ]
    charts = {images / _image(section): _chart(section, content) for section, content in found if section.bars}
    for path, chart in charts.items():
        path.write_text(chart)
    page.write_text("\n".join([_INTRODUCTION, *chain.from_iterable(_lines(*each) for each in found)]))
    return [page, *charts]


def _path(results: Path, section: _Section) -> Path:
    return results / f"{section.name}.json"


def _image(section: _Section) -> str:
    return f"loads-{section.name.replace('_', '-')}.svg"


def _lines(section: _Section, content: Mapping[str, Any]) -> Iterator[str]:
    box = content["machine"]
    yield f"## {section.title}\n"
    if section.text:
        yield f"{section.text}\n"
    yield f"```sh\n{content['command'].replace('python', '.venv/bin/python', 1)}\n```\n"
    yield f"- {content['date']}; {box['processor']}, {box['cores']} cores, {box['memory_gb']} GB, {box['system']}"
    if content["provisional"]:
        yield f"- **Provisional**: {content['provisional']}"
    yield ""
    if section.bars:
        yield f"![{section.title}](images/{_image(section)})\n"
    yield from table(content["table"]["headings"], content["table"]["rows"])
    yield ""


def _chart(section: _Section, content: Mapping[str, Any]) -> str:
    groups = [Group(case, [found[name] for name in section.bars]) for case, found in content["median"].items()]
    return bars(section.title, list(section.bars.values()), groups)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m bench.query_floor`: what a small question takes of one day, and what of that is ClickHouse's part.

The questions that VictoriaLogs answers sooner (docs/performance.md): as they are asked there, and of the last day,
which is one part of the table or two. The difference is what the other parts cost; no layout by time saves the rest.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from bench.api_client import ApiClient
from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.errors import BenchError
from bench.history import DAYS, prepare_history
from bench.latency import quantile
from bench.peer_questions import questions
from bench.query_kinds import Parameters, sample_search_values
from bench.report import table, write_results
from bench.service import Program, running_service
from bench.stack import BenchStack, running_stack

_NAME: Final = "query_floor"
_ROWS, _SAMPLES, _WARM_UP = 10_000_000, 60, 3
_QUICK_ROWS, _QUICK_SAMPLES = 100_000, 2
_KINDS: Final = ("service and level", "service and word", "rare word", "trace", "mean of a user 30 d")
_TIME_EVENT: Final = "SelectQueryTimeMicroseconds"

_FORMS: Final = ("as asked", "of one day")
_HALF_A_DAY: Final = 0.5 / DAYS  # of the history


def of_one_day(parameters: Parameters) -> Parameters:
    """The same question of the last day."""
    return {**parameters, "start": "now-1d"}


@dataclass(slots=True)
class Taken:
    """What questions of one kind and form took, each in milliseconds."""

    millis: list[float] = field(default_factory=list)
    engine_millis: list[float] = field(default_factory=list)
    """ClickHouse's part, from the text of a statement to its result."""

    def medians(self) -> dict[str, float]:
        """Of both."""
        found = {"p50_millis": self.millis, "engine_p50_millis": self.engine_millis}
        return {name: round(quantile(sorted(values), 0.5), 1) for name, values in found.items()}


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.query_floor", description="What a small question takes.")
    parser.add_argument("--rows", type=positive, default=_ROWS, help="rows of the table (default: 10 million)")
    parser.add_argument("--samples", type=positive, default=_SAMPLES, help=f"of a kind and form (default: {_SAMPLES})")
    parser.add_argument("--data", type=Path, help="directory that keeps the table for the next run")
    parser.add_argument("--quick", action="store_true", help="few rows and samples; results are not stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rows, options.samples = _QUICK_ROWS, _QUICK_SAMPLES
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    with running_stack(options.data and options.data.absolute()) as stack:
        name = f"history_{options.rows}"
        prepare_history(stack, name, options.rows)
        found = _ask_all(stack, name, options)
        command = ["bench.query_floor", "--rows", str(options.rows), "--samples", str(options.samples)]
        about = circumstances(stack, command)
    text = "\n".join(page(about, found)) + "\n"
    print(f"\n{text}")
    if not options.quick:
        for path in write_results(options.results, _NAME, text, {**about, "kinds": found}):
            print(f"Written: {path}")
    return 0


def _ask_all(stack: BenchStack, name: str, options: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    rng = Random(options.rows)
    values = {
        form: sample_search_values(stack, name, options.rows, rng, newest_share=share)
        for form, share in zip(_FORMS, (1.0, _HALF_A_DAY), strict=True)
    }
    found = {}
    with running_service(stack, Program(), name, name, {"ROLES": "query"}) as service:
        client = ApiClient(urlsplit(service.url).port or 0)
        for question in questions(_KINDS):
            if question.is_sensitive:
                continue
            forms = {form: Taken() for form in _FORMS}
            for number in range(-_WARM_UP, options.samples):
                for form in _FORMS:
                    (path, parameters), _theirs = question.requests(rng, values[form])
                    asked = parameters if form == _FORMS[0] else of_one_day(parameters)
                    _ask(stack, client, path, asked, forms[form] if number >= 0 else Taken())
            found[question.name] = {form: taken.medians() for form, taken in forms.items()}
            print(f"{question.name}: {json.dumps(found[question.name])}", flush=True)
        client.close()
    return found


def _ask(stack: BenchStack, client: ApiClient, path: str, parameters: Parameters, taken: Taken) -> None:
    before = _engine_micros(stack)
    itself = _engine_micros(stack) - before  # the statement that asks is counted too
    sample = client.query(path, parameters)
    taken.millis.append(sample.millis)
    taken.engine_millis.append((_engine_micros(stack) - before - 2 * itself) / 1000)


def _engine_micros(stack: BenchStack) -> int:
    """How long ClickHouse has taken for SELECTs since its start, without the one that asks."""
    value = stack.query(f"SELECT value FROM system.events WHERE event = '{_TIME_EVENT}'")
    if not value.strip():
        raise BenchError("the engine does not count the time of its queries")
    return int(value)


def page(about: dict[str, Any], found: dict[str, dict[str, dict[str, float]]]) -> Sequence[str]:
    """The results for people, line by line."""
    rows = [
        [kind, *(f"{taken['p50_millis']:.1f} ({taken['engine_p50_millis']:.1f})" for taken in forms.values())]
        for kind, forms in found.items()
    ]
    return [
        "# What a small question takes of one day",
        "",
        *(f"- {key}: {value}" for key, value in circumstances_as_context(about).items()),
        "- Each cell: through the API (of that in ClickHouse), medians in ms. Serial questions; nothing is stored",
        "",
        *table(["question", *_FORMS], rows),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

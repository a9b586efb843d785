"""`python -m bench.scaling`: a load that grows tenfold, and a group of instances that follows it by the shipped rule.

Real Kafka, the real engine and real processes of the service, of which each stores a fixed number of records per
second. The controllers, KEDA with Kubernetes' autoscaler, cannot run here; `scaling_rule.py` is their computation.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import yaml
from confluent_kafka import Consumer, KafkaException, TopicPartition

from app.scaling.demand import Load, Target, instances_of_group, wanted_instances
from bench.command import RESULTS, circumstances, circumstances_as_context, positive, run
from bench.drain import exactness
from bench.errors import BenchError
from bench.polling import polling
from bench.report import table, write_results
from bench.scaling_group import Reading, limited_group
from bench.scaling_report import Gaps, Outcome, Sample, gaps_of, outcome_of, pause_rows
from bench.scaling_rule import Autoscaler, Rule, rule_of
from bench.stack import DATABASE, BenchStack, running_stack
from bench.svg_chart import Line, Panel, chart
from bench.workload import send_steadily
from local.paths import ROOT

PARTITIONS: Final = 12
PAGE: Final = ROOT / "docs/scaling.md"
IMAGE: Final = ROOT / "docs/images/scaling.svg"

_SAMPLE_SECS: Final = 2.0
_SCRAPE_SECS: Final = 15.0
_TIMEOUT_SECS: Final = 180.0
_AUDIT_SECS: Final = "6h"
_BLOCK: Final = re.compile(r"(?<=<!-- bench.scaling writes this -->\n).*(?=<!-- until here -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if records are missing or twice, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description="A group that follows the load.")
    parser.add_argument("--capacity", type=positive, default=300, help="records/s of an instance (default: 300)")
    parser.add_argument("--rate", type=positive, default=100, help="records/s before the step (default: 100)")
    parser.add_argument("--secs", type=positive, nargs=3, default=[60, 420, 500], help="before, during, after it")
    parser.add_argument("--quick", action="store_true", help="a short step, to see that it works; nothing is stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.secs = [30, 60, 15]
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    spec = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
    with running_stack() as stack, ExitStack() as cleanup:
        step = _LoadStep(stack, options, rule_of({**spec, "maxReplicaCount": PARTITIONS}, spec["pollingInterval"]))
        cleanup.callback(step.group.stop)
        step.run()
        step.group.stop()
        found = exactness(stack, step.table, step.sent) | {"audit_exit_code": step.audit()}
        command = ["bench.scaling", "--capacity", str(options.capacity), "--rate", str(options.rate)]
        about = circumstances(stack, [*command, "--secs", *map(str, options.secs)]) | {"kafka": stack.kafka.version}
        gaps = gaps_of(step.group.journals(), step.group.changes)
    needed = _needed(10 * options.rate, options.capacity)
    outcome = outcome_of(step.samples, options.secs[0], sum(options.secs[:2]), needed)
    page = _page(about, options, found, outcome, gaps)
    print(page)
    if not options.quick:
        _store(options.results, page, about, step, found, outcome, gaps)
    return 1 if any(found.values()) else 0


class _LoadStep:
    """The run: who sends, who stores, and who decides how many store."""

    def __init__(self, stack: BenchStack, options: argparse.Namespace, rule: Rule) -> None:
        self.table = "scaling"
        self.sent = 0
        self.samples: list[Sample] = []
        self._stack = stack
        self._options = options
        self._rule = rule
        self._rate = 0
        self._began_at = time.monotonic()
        self._readings: list[tuple[float, Mapping[int, Reading]]] = []
        self.group = limited_group(stack, self.table, capacity=options.capacity, partitions=PARTITIONS)

    def run(self) -> None:
        """Send at all rates, let the group follow, and wait until everything is stored.

        Raises:
            BenchError: not everything was stored.
        """
        servers = self._stack.kafka.bootstrap_servers
        self.group.become(1)
        self.group.wait_until(lambda: self.group.reading() == 1, _TIMEOUT_SECS)
        with (
            closing(_Ends(servers, self.table)) as ends,
            ProcessPoolExecutor(1, mp_context=get_context("spawn")) as sender,
        ):
            self._began_at = time.monotonic()
            with polling(lambda: self._sample(ends), _SAMPLE_SECS), self._controlled():
                for rate, secs in zip(self._rates(), self._options.secs, strict=True):
                    self._rate = rate
                    print(f"Sending {rate:,} records/s for {secs} s ...", flush=True)
                    sender.submit(send_steadily, servers, self.table, rate, secs, PARTITIONS).result()
                    self.sent += rate * secs
            self.group.wait_until(lambda: self._stored() >= self.sent, _TIMEOUT_SECS)

    def audit(self) -> int:
        """The exit code of `python -m app audit`: 0 if every record is stored exactly once."""
        command = [sys.executable, "-m", "app", "audit", "--since", _AUDIT_SECS]
        done = subprocess.run(
            command, env=self.group.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        print(done.stdout[-2000:], done.stderr[-2000:])
        return done.returncode

    def _rates(self) -> list[int]:
        return [self._options.rate, 10 * self._options.rate, self._options.rate]

    def _stored(self) -> int:
        return int(self._stack.query(f"SELECT count() FROM `{DATABASE}`.`{self.table}`"))

    def _sample(self, ends: _Ends) -> None:
        found, at = self.group.read(), time.monotonic() - self._began_at
        self._readings.append((at, found))
        try:
            lag = max(0, ends.total() - self._stored())
        except (BenchError, KafkaException, OSError) as error:  # a busy machine: the next sample may succeed
            print(f"{at:5.0f} s: no sample: {error}", flush=True)
            return
        lag_secs = max((reading.lag_secs for reading in found.values()), default=0.0)
        reading = sum(reading.assigned > 0 for reading in found.values())
        self.samples.append(Sample(at, self._rate, lag, lag_secs, len(self.group), reading, _metric(found.values())))

    @contextmanager
    def _controlled(self) -> Iterator[None]:
        stopped = threading.Event()
        controller = threading.Thread(target=self._control, args=(stopped,), daemon=True)
        controller.start()
        try:
            yield
        finally:
            stopped.set()
            controller.join()

    def _control(self, stopped: threading.Event) -> None:
        """What KEDA and the autoscaler do, every time that the rule says."""
        autoscaler, due = Autoscaler(self._rule), self._rule.every_secs
        while not stopped.wait(max(0.0, self._began_at + due - time.monotonic())):
            scraped = scraped_by(due, self._readings)
            if any(reading.wanted for reading in scraped):  # else there is no data, and nothing changes
                decided = autoscaler.decide(_metric(scraped), len(self.group), due)
                if decided != len(self.group):
                    print(f"{due:5.0f} s: {len(self.group)} -> {decided} instances", flush=True)
                    self.group.become(decided)
            due += self._rule.every_secs

    @property
    def zero(self) -> float:
        """The Unix time of the beginning."""
        return time.time() - (time.monotonic() - self._began_at)


class _Ends:
    """The ends of all partitions of a topic, together."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "bench-ends"})
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def total(self) -> int:
        return sum(self._consumer.get_watermark_offsets(partition)[1] for partition in self._partitions)

    def close(self) -> None:
        self._consumer.close()


def scraped_by(now: float, readings: Sequence[tuple[float, Mapping[int, Reading]]]) -> list[Reading]:
    """What Prometheus knows of each instance: as of its last scrape, which is at another time for each of them.

    An instance that did not respond to its last scrape is not known.
    """
    scraped = []
    for number in {number for _, found in readings for number in found}:
        since = now - (now - 4.0 * number) % _SCRAPE_SECS
        before = [found for at, found in readings if at <= since]
        if before and number in before[-1]:
            scraped.append(before[-1][number])
    return scraped


def _needed(rate: int, capacity: int) -> int:
    target = Target(capacity_per_sec=capacity)
    return instances_of_group([wanted_instances(Load(rate / PARTITIONS, 0), target)] * PARTITIONS)


def _metric(readings: Iterable[Reading]) -> float:
    """What the trigger's query returns; tests/unit/deploy/test_scaling.py compares the two."""
    wanted: dict[str, float] = {}
    for reading in readings:
        wanted |= {labels: max(value, wanted.get(labels, 0.0)) for labels, value in reading.wanted.items()}
    return instances_of_group(list(wanted.values()))


def _page(
    about: Mapping[str, Any], options: argparse.Namespace, found: Mapping[str, float], outcome: Outcome, gaps: Gaps
) -> str:
    before, during, after = options.secs
    context = circumstances_as_context(about) | {
        "Beside it on the same machine": f"Apache Kafka {about['kafka']}, ClickHouse engine {about['clickhouse']}",
        "Load": f"{options.rate:,} records/s for {before} s, {10 * options.rate:,} for {during} s, {options.rate:,} for"
        f" {after} s, evenly over {PARTITIONS} partitions",
        "Instances": f"real processes of the service that store {options.capacity:,} records/s each at most",
        "Rule": "deploy/scaling/keda.yaml, with `maxReplicaCount` the number of partitions; each instance is scraped"
        " every 15 s, at another time each",
    }
    lines = [f"- {name}: {text}" for name, text in context.items()]
    return "\n".join(["# A load that grows tenfold", "", *lines, "", *_tables(found, outcome, gaps), ""])


def _tables(found: Mapping[str, float], outcome: Outcome, gaps: Gaps) -> list[str]:
    rows = [
        ("Records missing, twice, exit code of the audit", ", ".join(f"{value:.0f}" for value in found.values())),
        ("Instances that the step needs", str(outcome.needed)),
        ("Until so many read, s", _secs(outcome.enough_after_secs)),
        ("Until the lag was usual again (less than 5 s of arrivals), s", _secs(outcome.recovered_after_secs)),
        ("Greatest lag, records", f"{outcome.most_lag:,}"),
        ("Greatest lag, s, as reported", f"{outcome.most_lag_secs:.0f}"),
        ("Most instances (overshoot)", f"{outcome.most_instances} ({outcome.overshoot})"),
        ("From the end of the step until one instance read again, s", _secs(outcome.back_after_secs)),
    ]
    pauses = list(pause_rows(gaps))
    return [
        *table(("Tenfold load", "Result"), rows),
        "",
        *table(("Between two inserts of an instance", "Times", "p50, s", "Greatest, s"), pauses),
    ]


def _secs(secs: float | None) -> str:
    return "not reached" if secs is None else f"{secs:.0f}"


def _store(
    results: Path,
    page: str,
    about: Mapping[str, Any],
    step: _LoadStep,
    found: Mapping[str, float],
    outcome: Outcome,
    gaps: Gaps,
) -> None:
    zero = step.zero
    changes = [(at - zero, count) for at, count in step.group.changes]
    pauses = [pause._replace(ended_at=pause.ended_at - zero) for pause in gaps.pauses]
    content = {
        **about,
        "found": dict(found),
        "outcome": asdict(outcome),
        "changes": changes,
        "pauses": pauses,
        "samples": [asdict(replace(sample, at=round(sample.at, 1))) for sample in step.samples],
    }
    for path in write_results(results, "scaling", page, content):
        print(f"Written: {path}")
    IMAGE.write_text(_chart(step.samples, changes, gaps, zero))
    block = "\n".join(
        [
            "",
            "![The load, instances, lag and pauses](images/scaling.svg)",
            "",
            "All numbers: [bench/results/scaling.json](../bench/results/scaling.json).",
            "",
        ]
    )
    PAGE.write_text(
        _BLOCK.sub(lambda _: f"{block}\n" + "\n".join(_tables(found, outcome, gaps)) + "\n\n", PAGE.read_text())
    )
    print(f"Written: {IMAGE}, {PAGE}")


def _chart(samples: list[Sample], changes: list[tuple[float, int]], gaps: Gaps, zero: float) -> str:
    def over_time(name: str) -> list[tuple[float, float]]:
        return [(sample.at, float(getattr(sample, name))) for sample in samples]

    pauses = [
        Line(name, [(p.ended_at - zero, p.secs) for p in gaps.pauses if p.is_up is is_up and p.ended_at > zero], "dots")
        for name, is_up in (("others joined", True), ("others left", False))
    ]
    return chart(
        "A load that grows tenfold, and the group that follows it",
        [
            Panel("Records per second", [Line("sent", over_time("rate"), "step")]),
            Panel(
                "Instances",
                [
                    Line("wanted", over_time("wanted"), "step"),
                    Line("started", over_time("instances"), "step"),
                    Line("reading", over_time("reading"), "step"),
                ],
            ),
            Panel("Lag, s, as the instances report it", [Line("greatest of a partition", over_time("lag_secs"))]),
            Panel("Records that wait", [Line("records", over_time("lag"))]),
            Panel("Pauses of instances, s", pauses),
        ],
        marks=[at for at, _ in changes if at > 0],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

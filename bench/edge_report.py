"""What `bench.edge` found, as measurements with their limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.edge_clients import KINDS, Tally
from bench.latency import quantile
from bench.processes import Memory
from bench.report import Measure, Measurements, Report

_PHASES: Final = {"idle": "idle", "ingestion": "ingestion alone", "everything": "everything"}
_PROBED: Final = ("ingestion", "everything")

REPORT: Final = Report(
    name="edge",
    title="The service under too many clients",
    repeats="Runs",
    measures=(
        *(
            measure
            for name, label in _PHASES.items()
            for measure in (
                Measure(f"memory_{name}_median_mb", f"Memory, {label}, median, MB", 0),
                Measure(f"memory_{name}_peak_mb", f"Memory, {label}, peak, MB", 0, limit=450),
            )
        ),
        Measure("memory_peak_rss_mb", "Resident memory of the main process, peak, MB", 0),
        *(
            measure
            for name in _PROBED
            for measure in (
                Measure(f"live_{name}_p50_ms", f"/live, {_PHASES[name]}, p50, ms", 1),
                Measure(f"live_{name}_p99_ms", f"/live, {_PHASES[name]}, p99, ms", 1),
                Measure(f"live_{name}_max_ms", f"/live, {_PHASES[name]}, slowest, ms", 1, limit=100),
                Measure(f"live_{name}_failed", f"/live, {_PHASES[name]}, failed", 0, limit=0),
            )
        ),
        Measure("sent_per_sec", "Events sent with everything, per second", 0),
        Measure("behind_secs", "Events sent and not stored when the load ends, in seconds of it", 2, limit=3),
        Measure("lag_p50_secs", "From Kafka to the end of the insert with everything, p50, s", 2),
        Measure("lag_p99_secs", "The same, p99, s", 2, limit=3),
        Measure("lag_max_secs", "The same, longest, s", 2),
        Measure("rows_missing", "Events missing in the table", 0, limit=0),
        Measure("rows_twice", "Rows stored twice", 0, limit=0),
        Measure("refused_429", "Requests refused with 429", 0),
        Measure("refused_503", "Requests refused with 503", 0),
        Measure("received_mb", "Bodies that clients received, MB", 1),
    ),
)


def memory_measurements(phase: str, samples: Sequence[Memory]) -> Measurements:
    """Median and peak of the memory in a phase."""
    values = [sample.pss_mb for sample in samples]
    return {f"memory_{phase}_median_mb": median(values), f"memory_{phase}_peak_mb": max(values)}


def millis_measurements(phase: str, probes: Sequence[float | None]) -> Measurements:
    """How long the probes of a phase took, and how many failed; those that failed are in no percentile."""
    millis = sorted(each for each in probes if each is not None) or [math.inf]
    return {
        f"live_{phase}_p50_ms": quantile(millis, 0.5),
        f"live_{phase}_p99_ms": quantile(millis, 0.99),
        f"live_{phase}_max_ms": millis[-1],
        f"live_{phase}_failed": sum(each is None for each in probes),
    }


def tally_measurements(tally: Tally) -> Measurements:
    """What was refused, and how much went out."""
    return {
        "refused_429": tally.refused(429),
        "refused_503": tally.refused(503),
        "received_mb": tally.received.total() / 1e6,
    }


def tally_as_context(tally: Tally) -> dict[str, str]:
    """What each kind of client got, in words."""
    return {
        f"What {kind} got": f"at most {tally.most_open[kind]} open at once, {tally.received[kind] / 1e6:,.1f} MB; "
        + ", ".join(
            f"{name.removeprefix(kind).strip()}: {count:,}"
            for name, count in sorted(tally.statuses.items())
            if name.startswith(f"{kind} ")
        )
        for kind in KINDS
        if any(name.startswith(f"{kind} ") for name in tally.statuses)
    }

"""What came of a load step: recovery, overshoot, and the pauses of instances when others join or leave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

USUAL_LAG_SECS = 5.0  # of arrivals: a batch is a second old when it is stored


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment of the run; `at` counts from its beginning."""

    at: float
    rate: int
    """Records per second that are sent."""
    lag: int
    """Records in Kafka that are not in the table."""
    lag_secs: float
    """As the instances report it."""
    instances: int
    """Those that were started and not stopped."""
    reading: int
    """Those that have partitions."""
    wanted: float
    """By the trigger."""


class Pause(NamedTuple):
    """The time in which an instance stored nothing because partitions were assigned."""

    ended_at: float
    secs: float
    is_up: bool
    """Because instances had joined, and not left."""


class Gaps(NamedTuple):
    """The times between inserts of the same instance."""

    pauses: list[Pause]
    usual_secs: list[float]


def gaps_of(journals: Iterable[str], changes: Sequence[tuple[float, int]]) -> Gaps:
    """The gaps of all instances. `changes` are times and numbers of instances, from the first one on.

    A gap in which partitions were assigned is a pause; the first assignment of an instance begins none.
    """
    pauses, usual = list[Pause](), list[float]()
    for journal in journals:
        entries = [json.loads(line) for line in journal.splitlines()]
        inserts = [entry["at"] for entry in entries if "rows" in entry]
        assigned = [entry["at"] for entry in entries if "assigned" in entry]
        for before, after in pairwise(inserts):
            if any(before < at <= after for at in assigned):
                pauses.append(Pause(after, after - before, _is_up(changes, after)))
            else:
                usual.append(after - before)
    return Gaps(sorted(pauses), usual)


def _is_up(changes: Sequence[tuple[float, int]], at: float) -> bool:
    until = [count for changed_at, count in changes if changed_at <= at]
    return len(until) < 2 or until[-1] > until[-2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The step in numbers; seconds from the step, or None if it did not happen."""

    needed: int
    """Instances that the rate of the step needs, without a backlog."""
    enough_after_secs: float | None
    """Until so many had partitions."""
    recovered_after_secs: float | None
    """Until the lag was usual again, and stayed so."""
    most_lag: int
    most_lag_secs: float
    most_instances: int
    overshoot: int
    back_after_secs: float | None
    """From the end of the step until as many instances read as before it."""


def outcome_of(samples: Sequence[Sample], step_at: float, end_at: float, needed: int) -> Outcome:
    """What came of a step between two moments, for which so many instances are needed."""
    during = [sample for sample in samples if step_at <= sample.at < end_at]
    after = [sample for sample in samples if sample.at >= end_at]
    first = max(sample.reading for sample in samples if sample.at < step_at)
    most = max(sample.instances for sample in during)
    return Outcome(
        needed=needed,
        enough_after_secs=_first(during, step_at, are_so=[sample.reading >= needed for sample in during]),
        recovered_after_secs=_recovered(during, step_at),
        most_lag=max(sample.lag for sample in during),
        most_lag_secs=max(sample.lag_secs for sample in during),
        most_instances=most,
        overshoot=most - needed,
        back_after_secs=_first(after, end_at, are_so=[sample.reading <= first for sample in after]),
    )


def _first(samples: Sequence[Sample], since: float, are_so: Sequence[bool]) -> float | None:
    return next((sample.at - since for sample, is_so in zip(samples, are_so, strict=True) if is_so), None)


def _recovered(samples: Sequence[Sample], since: float) -> float | None:
    """The moment after the last one with an unusual lag; None if that is the end."""
    unusual = [index for index, sample in enumerate(samples) if sample.lag > sample.rate * USUAL_LAG_SECS]
    if not unusual:
        return 0.0
    return samples[unusual[-1] + 1].at - since if unusual[-1] + 1 < len(samples) else None


def pause_rows(gaps: Gaps) -> Iterator[tuple[str, str, str, str]]:
    """Rows of a table: what happened, how often, and the times without an insert, p50 and greatest."""
    kinds = {
        "others joined": [pause.secs for pause in gaps.pauses if pause.is_up],
        "others left": [pause.secs for pause in gaps.pauses if not pause.is_up],
        "nothing": gaps.usual_secs,
    }
    for name, secs in kinds.items():
        if secs:
            ascending = sorted(secs)
            yield name, f"{len(secs):,}", f"{ascending[(len(secs) - 1) // 2]:.1f}", f"{ascending[-1]:.1f}"

"""The rule by which Kubernetes' horizontal autoscaler changes the number of instances, from a KEDA ScaledObject.

KEDA hands an autoscaler a sum and a target per instance, and its behaviour; the autoscaler computes the number of
instances. This is that computation, after Kubernetes' documentation of the algorithm ("Horizontal Pod Autoscaling"),
so that the bench can apply the shipped rule without a cluster. CREMA does the same, without the tolerance.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

TOLERANCE: Final = 0.1  # of the autoscaler, unless the cluster's administrator has changed it


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit on a change within a period: `value` instances, or per cent of those at its start."""

    is_percent: bool
    value: int
    period_secs: float


@dataclass(frozen=True, slots=True)
class Direction:
    """The behaviour for scaling up, or down."""

    window_secs: float
    policies: Sequence[Policy]
    is_least_change: bool
    """Of several policies the one counts that allows the least change, not the most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a ScaledObject says about the number of instances."""

    every_secs: float
    target: float
    least: int
    most: int
    up: Direction
    down: Direction


def rule_of(spec: Mapping[str, Any], every_secs: float) -> Rule:
    """The rule in the `spec` of a ScaledObject with one trigger; how often it is applied stands elsewhere for CREMA."""
    [trigger] = spec["triggers"]
    metadata = trigger["metadata"]
    behaviour = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    return Rule(
        every_secs=every_secs,
        target=float(metadata["threshold"] if trigger["type"] == "prometheus" else metadata["lagThreshold"]),
        least=spec["minReplicaCount"],
        most=spec["maxReplicaCount"],
        up=_direction(behaviour["scaleUp"]),
        down=_direction(behaviour["scaleDown"]),
    )


def _direction(behaviour: Mapping[str, Any]) -> Direction:
    policies = [
        Policy(policy["type"] == "Percent", policy["value"], policy["periodSeconds"])
        for policy in behaviour["policies"]
    ]
    return Direction(behaviour["stabilizationWindowSeconds"], policies, behaviour["selectPolicy"] == "Min")


def lag_metric(lag: int, partitions: int, threshold: int) -> int:
    """What KEDA's Kafka scaler makes of a lag, with `ensureEvenDistributionOfPartitions`."""
    even = (count for count in range(1, partitions + 1) if partitions % count == 0)
    return threshold * next((count for count in even if count * threshold >= lag), partitions)


class Autoscaler:
    """Decides how many instances there are to be. Times are of one clock, in seconds."""

    def __init__(self, rule: Rule, *, tolerance: float = TOLERANCE) -> None:
        self._rule = rule
        self._tolerance = tolerance
        self._recommended: deque[tuple[float, int]] = deque()
        self._changes: deque[tuple[float, int]] = deque()

    def decide(self, metric: float, current: int, now: float) -> int:
        """The number of instances that there are to be, of `current`, for a sum over all of them."""
        stabilised = self._stabilised(self._recommend(metric, current), current, now)
        decided = self._limited(stabilised, current, now)
        if decided != current:
            self._changes.append((now, decided - current))
        return decided

    def _recommend(self, metric: float, current: int) -> int:
        if current and abs(metric / (self._rule.target * current) - 1) <= self._tolerance:
            return current
        return min(self._rule.most, max(self._rule.least, math.ceil(metric / self._rule.target)))

    def _stabilised(self, recommended: int, current: int, now: float) -> int:
        """The last recommendations count too: for up their least, for down their greatest."""
        self._recommended.append((now, recommended))
        longest = max(self._rule.up.window_secs, self._rule.down.window_secs)
        while self._recommended[0][0] < now - longest:
            self._recommended.popleft()
        least = self._over(self._rule.up.window_secs, min, now)
        greatest = self._over(self._rule.down.window_secs, max, now)
        return min(max(current, least), greatest)

    def _over(self, window_secs: float, choose: Callable[[Iterable[int]], int], now: float) -> int:
        within = [count for at, count in self._recommended if at > now - window_secs]
        return choose([*within, self._recommended[-1][1]])

    def _limited(self, wanted: int, current: int, now: float) -> int:
        if wanted > current:
            limits = [self._most_after(policy, current, now) for policy in self._rule.up.policies]
            return min(wanted, max(current, min(limits) if self._rule.up.is_least_change else max(limits)))
        if wanted < current:
            limits = [self._least_after(policy, current, now) for policy in self._rule.down.policies]
            return max(wanted, min(current, max(limits) if self._rule.down.is_least_change else min(limits)))
        return current

    def _most_after(self, policy: Policy, current: int, now: float) -> int:
        start = self._at_start_of(policy, current, now)
        return math.ceil(start * (1 + policy.value / 100)) if policy.is_percent else start + policy.value

    def _least_after(self, policy: Policy, current: int, now: float) -> int:
        start = self._at_start_of(policy, current, now)
        return int(start * (1 - policy.value / 100)) if policy.is_percent else start - policy.value

    def _at_start_of(self, policy: Policy, current: int, now: float) -> int:
        return current - sum(change for at, change in self._changes if at > now - policy.period_secs)

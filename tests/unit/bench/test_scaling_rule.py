"""The rule of the shipped ScaledObject, and what it makes of a load that grows tenfold: with a simulated group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.scaling.arrivals import Arrivals
from app.scaling.demand import UTILISATION, Load, Target, instances_of_group, wanted_instances
from bench.scaling_rule import Autoscaler, Rule, lag_metric, rule_of
from local.paths import ROOT

SPEC: dict[str, Any] = yaml.safe_load((ROOT / "deploy/scaling/keda.yaml").read_text())["spec"]
RULE = rule_of({**SPEC, "maxReplicaCount": 8}, SPEC["pollingInterval"])
CAPACITY = 300.0
SHARE = UTILISATION * CAPACITY  # an instance gets no more while there are others to be had
TURN_SECS = 5


def test_the_shipped_rule_is_read() -> None:
    assert (RULE.every_secs, RULE.target, RULE.least, RULE.most) == (15, 1, 1, 8)
    assert (RULE.up.window_secs, RULE.down.window_secs) == (0, 300)
    assert [(policy.is_percent, policy.value, policy.period_secs) for policy in RULE.up.policies] == [
        (True, 100, 15),
        (False, 4, 15),
    ]


def test_up_is_at_once_but_by_no_more_than_four_or_the_double() -> None:
    scaler = Autoscaler(RULE)

    assert scaler.decide(8, 1, 0) == 5
    assert scaler.decide(8, 5, 5) == 5, "the period is not over"
    assert scaler.decide(8, 5, 15) == 8


def test_down_is_to_the_greatest_of_five_minutes_and_by_half_in_a_minute() -> None:
    scaler = Autoscaler(RULE)
    assert scaler.decide(8, 8, 0) == 8

    decided = {now: scaler.decide(1, 8, now) for now in (15, 150, 285, 299)}

    assert set(decided.values()) == {8}
    assert scaler.decide(1, 8, 300) == 4
    assert scaler.decide(1, 4, 330) == 4
    assert scaler.decide(1, 4, 361) == 2
    assert scaler.decide(1, 2, 425) == 1


def test_a_difference_of_a_tenth_is_ignored() -> None:
    assert Autoscaler(RULE).decide(4.3, 4, 0) == 4
    assert Autoscaler(RULE).decide(4.5, 4, 0) == 5
    assert Autoscaler(RULE, tolerance=0).decide(4.3, 4, 0) == 5


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(1, 100)), max_size=40))
def test_the_number_stays_within_its_limits(readings: list[tuple[float, float]]) -> None:
    scaler, current, now = Autoscaler(RULE), 1, 0.0
    for metric, secs in readings:
        now += secs
        before, current = current, scaler.decide(metric, current, now)
        assert RULE.least <= current <= RULE.most
        assert current <= max(2 * before, before + 4)


# With a group


@dataclass
class Group:
    """Instances that store CAPACITY records a second each; a change of their number pauses all of them."""

    partitions: int
    pause_secs: int = 10
    instances: int = 1
    now: int = 0
    paused_until: int = 0
    changes: list[tuple[int, int]] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = [0.0] * self.partitions
        self.stored = [0.0] * self.partitions
        self.arrivals = [Arrivals() for _ in range(self.partitions)]

    def turn(self, rate: float) -> None:
        """Some seconds pass in which `rate` records arrive per second; then every instance looks at its lag."""
        self.now += TURN_SECS
        self.ends = [end + rate * TURN_SECS / self.partitions for end in self.ends]
        if self.now > self.paused_until:
            for instance in range(self.instances):
                self._store(range(instance, self.partitions, self.instances))
        self.lags.append(sum(self.ends) - sum(self.stored))
        for arrivals, end in zip(self.arrivals, self.ends, strict=True):
            arrivals.add(int(end), self.now)

    def wanted(self) -> float:
        """What the query returns."""
        loads = [
            Load(arrivals.per_sec(), int(end - stored))
            for arrivals, end, stored in zip(self.arrivals, self.ends, self.stored, strict=True)
        ]
        return instances_of_group([wanted_instances(load, Target(CAPACITY, 60)) for load in loads])

    def become(self, instances: int) -> None:
        if instances != self.instances:
            self.changes.append((self.now, instances))
            self.instances = instances
            self.paused_until = self.now + self.pause_secs

    def _store(self, mine: range) -> None:
        left = CAPACITY * TURN_SECS
        for number in sorted(mine, key=lambda number: self.stored[number] - self.ends[number]):
            stored = min(left, self.ends[number] - self.stored[number])
            self.stored[number] += stored
            left -= stored


def run(group: Group, rule: Rule, phases: list[tuple[int, float]], tolerance: float = 0.1) -> None:
    """Let the group run through phases of seconds and a rate, with the autoscaler and a scrape every 15 s."""
    scaler, scraped = Autoscaler(rule, tolerance=tolerance), 0.0
    for secs, rate in phases:
        for _ in range(secs // TURN_SECS):
            group.turn(rate)
            if group.now % rule.every_secs == 10:
                scraped = group.wanted()
            if group.now % rule.every_secs == 0:
                group.become(scaler.decide(scraped, group.instances, group.now))


@pytest.mark.parametrize("tolerance", [0.1, 0.0])
@pytest.mark.parametrize(("partitions", "enough"), [(8, 8), (24, 8)])
def test_a_tenfold_load_is_followed_and_given_back(partitions: int, enough: int, tolerance: float) -> None:
    group = Group(partitions)

    run(group, replace(RULE, most=partitions), [(120, 150)], tolerance)
    assert group.changes == []
    run(group, replace(RULE, most=partitions), [(600, 1500)], tolerance)

    assert group.instances == enough
    assert max(group.lags) < 1500 * 60
    assert group.lags[-1] < 1500 * 5, "the lag is gone"
    assert max(group.lags[-24:]) < 1500 * 5, "and stays gone"
    before = len(group.changes)
    run(group, replace(RULE, most=partitions), [(900, 150)], tolerance)
    assert group.instances == 1
    assert len(group.changes) - before <= 5, "in few steps: each one is a rebalance"
    assert group.lags[-1] < 150 * 5


@settings(max_examples=10, deadline=None)
@given(st.floats(50, 1900))
def test_under_a_steady_load_the_number_settles(rate: float) -> None:
    # Where one more instance is wanted, a record more or less in a reading decides, and the number may go to and fro.
    assume(abs(rate / SHARE - round(rate / SHARE)) > 0.002)
    group = Group(8)

    run(group, RULE, [(1200, rate)])
    settled = len(group.changes)
    run(group, RULE, [(900, rate)])

    assert len(group.changes) == settled
    assert group.lags[-1] < rate * 5


# By the lag alone, as CREMA does without Prometheus


@pytest.mark.parametrize(
    ("lag", "instances"), [(0, 1), (1500, 1), (1501, 2), (4000, 3), (6001, 6), (9001, 12), (10**6, 12)]
)
def test_a_lag_wants_a_number_of_instances_that_shares_twelve_partitions_evenly(lag: int, instances: int) -> None:
    assert lag_metric(lag, 12, 1500) == instances * 1500


def test_by_the_lag_alone_it_follows_too_but_tries_with_fewer_now_and_then() -> None:
    spec = yaml.safe_load((ROOT / "deploy/scaling/crema.yaml").read_text())["spec"]
    [scaled] = [scaled["spec"] for scaled in spec["scaledObjects"]]
    rule = replace(rule_of(scaled, spec["pollingInterval"]), target=5 * CAPACITY, most=12)
    group, scaler = Group(12), Autoscaler(rule, tolerance=0)

    for rate, secs in ((100, 300), (1000, 7200), (100, 7200)):
        changes = len(group.changes)
        for _ in range(secs // TURN_SECS):
            group.turn(rate)
            if group.now % rule.every_secs == 0:
                lag = int(group.lags[-1]) + rate  # the last second is not committed yet
                group.become(scaler.decide(lag_metric(lag, 12, int(rule.target)), group.instances, group.now))
        assert len(group.changes) - changes <= 14
    assert group.instances == 1
    assert max(group.lags) < 1000 * 60

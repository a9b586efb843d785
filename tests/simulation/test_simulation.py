"""The protocol under every fault, and proof that the simulation detects a weaker protocol."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from tests.simulation.instance import Parts
from tests.simulation.many import play, play_many
from tests.simulation.mutations import MUTATIONS, Mutation
from tests.simulation.run import FIRST_REMOVING_SEED, Run

# `make simulate` plays as many as you like.
SEEDS = [*range(200), *range(FIRST_REMOVING_SEED, FIRST_REMOVING_SEED + 50)]
# Seeds that once found a bug. Their faults change with the simulation, so they are only a start.
FORMER_FAILURES = [83, 477, 626, 922, 2834, 2964, 3215, 3982, 5255, 5452, 7172, 11483, 14936, 41390, 300344]


def test_nothing_is_lost_and_nothing_stored_twice_whatever_happens() -> None:
    happened: Counter[str] = Counter()
    problems = []
    with_rests = 0
    for outcome in play_many(SEEDS):
        happened += outcome.happened
        with_rests += outcome.rests > 0
        if outcome.problem:
            problems.append(f"seed {outcome.seed}: {outcome.problem}")

    assert problems == []
    assert happened.keys() == Run(FIRST_REMOVING_SEED).fault_names()
    assert min(happened.values()) >= len(SEEDS) // 20
    assert with_rests >= len(SEEDS) // 2


def test_seeds_that_failed_before_are_clean() -> None:
    assert [outcome.problem for outcome in play_many(FORMER_FAILURES)] == [""] * len(FORMER_FAILURES)


def test_a_seed_plays_the_same_every_time() -> None:
    first, second = play(7, Parts()), play(7, Parts())

    assert first == second
    assert first.happened.total() > 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_simulation_detects_each_mutation(mutation: Mutation) -> None:
    seeds = range(mutation.seen_at, mutation.seen_at + 50)

    assert any(play(seed, mutation.parts).problem for seed in islice(seeds, 50))

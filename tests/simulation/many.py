"""Many seeds on all cores."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from functools import partial

from tests.simulation.instance import Parts
from tests.simulation.run import Outcome, Run

_CHUNK_SEEDS = 20


def play_many(seeds: Iterable[int], parts: Parts | None = None) -> Iterator[Outcome]:
    """Run each seed; outcomes are in the order of the seeds."""
    context = multiprocessing.get_context("spawn")  # pyarrow's threads do not survive a fork
    with context.Pool(os.cpu_count(), initializer=_disable_logging) as pool:
        yield from pool.imap(partial(play, parts=parts or Parts()), seeds, _CHUNK_SEEDS)


def play(seed: int, parts: Parts) -> Outcome:
    """Run one seed. An unexpected exception is a problem too."""
    try:
        return Run(seed, parts).play()
    except Exception as error:
        return Outcome(seed, problem=f"{type(error).__name__}: {error}")


def _disable_logging() -> None:
    logging.disable(logging.CRITICAL)

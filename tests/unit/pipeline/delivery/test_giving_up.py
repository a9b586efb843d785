"""An abandoned delivery sends nothing more."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import Abandoned
from tests.support.sample_rows import sample_batch, sample_rows
from tests.unit.pipeline.delivery.setup import DOWN, P0, Setup, position


def test_a_batch_that_is_abandoned_between_two_attempts_is_not_sent_again(setup: Setup) -> None:
    setup.table.next_insert(DOWN)
    task = setup.task(setup.delivery.deliver(sample_batch(sample_rows(1))))

    with pytest.raises(Abandoned):
        setup.finish(task, meanwhile=task.abandon)

    assert len(setup.table.tokens) == 1


def test_a_batch_that_is_abandoned_while_it_is_being_halved_sends_no_further_half(setup: Setup) -> None:
    task = setup.task(setup.delivery.deliver(sample_batch(sample_rows(8))))

    def refuse_and_abandon(_row: dict[str, Any]) -> bool:
        task.abandon()
        return True

    setup.table.refuses = refuse_and_abandon

    with pytest.raises(Abandoned):
        setup.finish(task)

    assert len(setup.table.tokens) == 1


def test_a_recovery_is_abandoned_too(setup: Setup) -> None:
    setup.table.next_check(DOWN)
    task = setup.task(setup.delivery.recover(P0, position()))

    with pytest.raises(Abandoned):
        setup.finish(task, meanwhile=task.abandon)


def test_an_unexpected_error_is_not_swallowed(setup: Setup) -> None:
    setup.table.next_insert(ZeroDivisionError("a mistake of ours"))

    with pytest.raises(ZeroDivisionError):
        setup.deliver(sample_batch(sample_rows(1)))


def test_after_an_unexpected_error_the_insert_may_be_in_flight(setup: Setup) -> None:
    setup.table.next_insert(ZeroDivisionError("a mistake of ours"))
    with pytest.raises(ZeroDivisionError):
        setup.deliver(sample_batch(sample_rows(1)))

    setup.progress.commit()

    assert setup.lease() == setup.leases[0]

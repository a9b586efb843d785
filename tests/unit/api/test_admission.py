"""Concurrency slots, a short queue, and rejection."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.api.admission import Admission, TooBusy


def test_no_more_queries_than_slots_are_admitted() -> None:
    admission = Admission(2, wait_secs=0)

    with admission.slot(), admission.slot(), pytest.raises(TooBusy) as caught, admission.slot():
        pass

    assert caught.value.retry_after_secs == 1


def test_a_slot_is_free_again_after_use_even_after_an_error() -> None:
    admission = Admission(1, wait_secs=0)

    with pytest.raises(ZeroDivisionError), admission.slot():
        raise ZeroDivisionError
    with admission.slot():
        pass


def test_a_waiting_query_gets_the_released_slot() -> None:
    admission = Admission(1, wait_secs=30)
    is_in, may_leave = threading.Event(), threading.Event()

    def hold() -> None:
        with admission.slot():
            is_in.set()
            may_leave.wait(30)

    def enter() -> str:
        with admission.slot():
            return "in"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hold)
        assert is_in.wait(30)
        second = pool.submit(enter)
        may_leave.set()
        assert second.result(30) == "in"
        first.result(30)


def test_a_query_that_waits_in_vain_gets_a_retry_time() -> None:
    admission = Admission(1, wait_secs=0.05)

    with admission.slot(), pytest.raises(TooBusy, match="retry in 1 s"), admission.slot():
        pass

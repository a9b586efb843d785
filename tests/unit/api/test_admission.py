"""So many questions at a time, a short queue, and then a no."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.api.admission import Admission, TooBusy


def test_as_many_as_there_are_places_are_let_in_and_no_more() -> None:
    admission = Admission(2, wait_secs=0)

    with admission.slot(), admission.slot(), pytest.raises(TooBusy) as caught, admission.slot():
        pass

    assert caught.value.retry_after_secs == 1


def test_a_place_that_was_left_is_free_again_whatever_happened_in_it() -> None:
    admission = Admission(1, wait_secs=0)

    with pytest.raises(ZeroDivisionError), admission.slot():
        raise ZeroDivisionError
    with admission.slot():
        pass


def test_whoever_waits_gets_the_place_that_is_left() -> None:
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


def test_who_waits_in_vain_is_told_when_to_come_again() -> None:
    admission = Admission(1, wait_secs=0.05)

    with admission.slot(), pytest.raises(TooBusy, match="ask again in 1 s"), admission.slot():
        pass

"""Concurrency slots, a short queue, and rejection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Response
from prometheus_client import Gauge

from app.api.admission import Admission, StreamSlots, TooBusy


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_no_more_queries_than_slots_are_admitted() -> None:
    admission = Admission(2, wait_secs=0)

    with admission.slot("a"), admission.slot("a"), pytest.raises(TooBusy) as caught, admission.slot("a"):
        pass

    assert caught.value.retry_after_secs == 1


def test_a_slot_is_free_again_after_use_even_after_an_error() -> None:
    admission = Admission(1, wait_secs=0)

    with pytest.raises(ZeroDivisionError), admission.slot("a"):
        raise ZeroDivisionError
    with admission.slot("a"):
        pass


def test_a_waiting_query_gets_the_released_slot() -> None:
    admission = Admission(1, wait_secs=30)
    is_in, may_leave = threading.Event(), threading.Event()

    def hold() -> None:
        with admission.slot("a"):
            is_in.set()
            may_leave.wait(30)

    def enter() -> str:
        with admission.slot("a"):
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

    with admission.slot("a"), pytest.raises(TooBusy, match="retry in 1 s"), admission.slot("a"):
        pass


def test_one_client_cannot_hold_all_slots() -> None:
    admission = Admission(4, wait_secs=0, max_share=0.5)

    with admission.slot("a"), admission.slot("a"):
        with pytest.raises(TooBusy, match="of this client; retry in 1 s"), admission.slot("a"):
            pass
        with admission.slot("b"), admission.slot("c"), pytest.raises(TooBusy, match="requests; retry"):  # noqa: SIM117
            with admission.slot("d"):
                pass
    with admission.slot("a"), admission.slot("a"):
        pass


def test_a_client_has_a_slot_however_small_its_share_is() -> None:
    with Admission(1, wait_secs=0, max_share=0.5).slot("a"):
        pass


def test_the_client_that_holds_the_fewest_slots_is_next() -> None:
    admission = Admission(2, wait_secs=30)
    entered: list[str] = []
    may_leave = {name: threading.Event() for name in ("first", "second")}

    def hold(client: str, name: str) -> None:
        with admission.slot(client):
            entered.append(name)
            may_leave[name].wait(30)

    def enter(client: str) -> None:
        with admission.slot(client):
            entered.append(client)

    with ThreadPoolExecutor(4) as pool:
        holding = [pool.submit(hold, "a", name) for name in may_leave]
        wait_until(lambda: len(entered) == 2)
        waiting = [pool.submit(enter, client) for client in ("a", "b")]
        wait_until(lambda: admission.waiting == 2)
        may_leave["first"].set()
        wait_until(lambda: "b" in entered)
        may_leave["second"].set()
        for future in [*holding, *waiting]:
            future.result(30)

    assert entered[2:] == ["b", "a"]


def test_one_client_cannot_hold_all_streams() -> None:
    running = Gauge("streams", "", registry=None)
    streams = StreamSlots(3, running, max_share=0.7)

    held = [streams.hold("a", Response) for _ in range(2)]
    with pytest.raises(TooBusy, match="of this client"):
        streams.hold("a", Response)
    streams.hold("b", Response)
    with pytest.raises(TooBusy, match="requests; retry in 10 s"):
        streams.hold("b", Response)
    held[0].close()

    streams.hold("a", Response)
    assert running._value.get() == 3


def test_a_stream_that_cannot_begin_holds_no_slot() -> None:
    streams = StreamSlots(1, Gauge("streams", "", registry=None))

    def fail() -> Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        streams.hold("a", fail)
    streams.hold("a", Response)

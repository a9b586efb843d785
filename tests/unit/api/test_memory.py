"""The memory for bodies: who gets it, in which order, and that all of it comes back."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from werkzeug.datastructures import Headers

from app.api.admission import TooBusy
from app.api.body import Body
from app.api.memory import BodyMemory
from app.api.request_head import RequestHead

TIMES = 8


def test_who_finds_too_little_is_told_to_come_again() -> None:
    memory = BodyMemory(100 * TIMES, wait_secs=0)

    with memory.claim(60):
        with memory.claim(40):
            pass
        with pytest.raises(TooBusy) as refused, memory.claim(41):
            pass
    with memory.claim(100):
        pass

    assert refused.value.retry_after_secs > 0


def test_a_body_larger_than_all_of_it_gets_all_of_it() -> None:
    memory = BodyMemory(100, wait_secs=0)

    with memory.claim(1_000), pytest.raises(TooBusy), memory.claim(1):
        pass


def test_what_a_body_does_not_need_is_free_for_others() -> None:
    memory = BodyMemory(100 * TIMES, wait_secs=0)

    with memory.claim(100) as claim:
        claim.shrink_to(10)
        with memory.claim(90):
            pass
    with memory.claim(100):
        pass


@contextmanager
def waiting(memory: BodyMemory, size: int, order: list[int]) -> Iterator[threading.Thread]:
    def take() -> None:
        with memory.claim(size):
            order.append(size)

    thread = threading.Thread(target=take)
    thread.start()
    yield thread
    thread.join(10)


def test_a_large_body_is_not_overtaken_by_small_ones_for_ever() -> None:
    memory = BodyMemory(100 * TIMES, wait_secs=10)
    order: list[int] = []

    with ExitStack() as threads, memory.claim(50):
        threads.enter_context(waiting(memory, 90, order))
        while not memory.waiting:
            pass
        threads.enter_context(waiting(memory, 20, order))
        while memory.waiting < 2:
            pass

    assert order == [90, 20]


@pytest.mark.parametrize(
    ("headers", "claimed"),
    [
        ({"Content-Length": "3"}, 3),
        ({}, 10),  # chunked
        ({"Content-Length": "3", "Content-Encoding": "deflate"}, 10),
        ({"Content-Length": "many"}, 10),
    ],
)
def test_a_body_claims_what_it_may_become(headers: dict[str, str], claimed: int) -> None:
    memory = BodyMemory(10 * TIMES, wait_secs=0)
    body = Body({"*/*": None}, 10, decoders={"identity": iter, "deflate": iter}, memory=memory)
    rest = 10 - claimed

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            with memory.claim(rest):
                pass
            with pytest.raises(TooBusy), memory.claim(rest + 1):
                pass
            return super().read(size)

    with body.held(RequestHead("POST", "/", Headers(headers), ""), Stream(b"abc")) as read:
        assert read == b"abc"
        with memory.claim(7):
            pass


def test_a_body_that_the_protocol_compresses_claims_what_it_may_become() -> None:
    memory = BodyMemory(10 * TIMES, wait_secs=0)

    def unpack(head: RequestHead, body: bytes, max_bytes: int) -> bytes:
        with pytest.raises(TooBusy), memory.claim(1):
            pass
        return body * 3

    body = Body({"*/*": None}, 10, unpack=unpack, memory=memory)

    with body.held(RequestHead("POST", "/", Headers({"Content-Length": "3"}), ""), io.BytesIO(b"abc")) as read:
        assert read == b"abcabcabc"
        with memory.claim(1):
            pass
        with pytest.raises(TooBusy), memory.claim(2):
            pass

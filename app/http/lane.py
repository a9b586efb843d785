"""Requests that have threads of their own, so that others need not wait for them."""

from collections.abc import Callable

from msgspec import Struct


class Lane(Struct, frozen=True):
    """So many threads for the requests that it takes, by method and path. `takes` runs in the event loop."""

    takes: Callable[[str, str], bool]
    threads: int

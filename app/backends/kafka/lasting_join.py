"""Keeps kafka-python from throwing away a join that ended between two polls."""

from collections.abc import Callable, Generator
from typing import Any

from kafka import KafkaConsumer
from kafka.future import Future


def keep_join(consumer: KafkaConsumer) -> None:
    """Have the next poll take the result of the join that is running. Call it while no poll is.

    kafka-python 3.0.12 goes on joining while nobody polls. If the join ends then, the next poll takes a finished join
    for none, joins once more and has all members of the group begin anew. Members that poll by turns, or do much
    between their polls, could do so for ever, each throwing away what the other has waited for.
    """
    coordinator = consumer._coordinator
    if isinstance(coordinator._join_task, Future):
        coordinator._join_task = _LastingJoin(coordinator._join_task)


class _LastingJoin:
    """A join as the client waits for it; it looks unfinished until the client has taken its result."""

    is_done = False

    def __init__(self, join: Future) -> None:
        self._join = join

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._join.__await__()

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        self._join.add_callback(callback)

    def add_errback(self, errback: Callable[[BaseException], None]) -> None:
        self._join.add_errback(errback)

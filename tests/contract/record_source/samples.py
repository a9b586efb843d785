"""Constants of the tests of RecordSource."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.records import LastRecord, Lease
from tests.contract.topics import Topic

MakeTopic = Callable[..., Topic]
MORE_THAN_A_POLL = 12_000  # records
LEASE = Lease("0123456789abcdef" * 2, 1_800_000_000_123, 10, LastRecord(9, 0xFFFFFFFF))

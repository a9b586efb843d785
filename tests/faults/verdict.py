"""Compares the table with the journal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.journal import Journal, RecordId


class StoredRow(NamedTuple):
    """A row of the table: its record, its item, and the event in it."""

    record_id: RecordId
    item: int
    event_id: str
    crc: int


Identities = Set[tuple[str, int, int]]
"""Of records (RecordId), or of events that were posted (PostedEvent)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison; every set must be empty."""

    lost: Identities = frozenset()
    duplicated: Identities = frozenset()
    wrong: Identities = frozenset()
    spurious: Identities = frozenset()
    unaccounted: Identities = frozenset()
    liveness: str = ""
    """Why a new event did not arrive, or the lag did not reach 0."""

    @property
    def is_clean(self) -> bool:
        """Whether all promises were kept."""
        return not (self.problems() or self.liveness)

    def joined(self, other: Verdict) -> Verdict:
        """Both."""
        return Verdict(
            self.lost | other.lost,
            self.duplicated | other.duplicated,
            self.wrong | other.wrong,
            self.spurious | other.spurious,
            self.unaccounted | other.unaccounted,
            "; ".join(filter(None, [self.liveness, other.liveness])),
        )

    def problems(self) -> dict[str, Identities]:
        """Non-empty sets, by name."""
        sets = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "wrong": self.wrong,
            "spurious": self.spurious,
            "unaccounted": self.unaccounted,
        }
        return {name: record_ids for name, record_ids in sets.items() if record_ids}

    def in_words(self) -> str:
        """The problems, with the first records of each."""
        parts = [f"{len(record_ids)} {name}: {sorted(record_ids)[:5]}" for name, record_ids in self.problems().items()]
        return "; ".join([*parts, *filter(None, [self.liveness])]) or "clean"


@dataclass(frozen=True, slots=True)
class Deleted:
    """Records that Kafka deleted, and those that the service reported as lost by that."""

    by_kafka: Set[RecordId] = field(default_factory=frozenset)
    announced: Set[RecordId] = field(default_factory=frozenset)


def verify(journal: Journal, rows: Iterable[StoredRow], deleted: Deleted | None = None, liveness: str = "") -> Verdict:
    """Compare exact sets of identities."""
    deleted = deleted or Deleted()
    copies: Counter[tuple[RecordId, int]] = Counter()
    wrong, spurious = set(), set()
    for row in rows:
        copies[row.record_id, row.item] += 1
        event = journal.acknowledged.get(row.record_id)
        if event is None:  # Kafka may still have stored an unacknowledged event
            if row.event_id not in journal.sent:
                spurious.add(row.record_id)
            elif journal.sent[row.event_id] != row.crc:
                wrong.add(row.record_id)
        elif event.id and (event.id, event.crc) != (row.event_id, row.crc):
            wrong.add(row.record_id)
    stored = {record_id for record_id, _ in copies}
    missing = journal.acknowledged.keys() - stored
    return Verdict(
        lost=missing - deleted.by_kafka,
        duplicated={record_id for (record_id, _), count in copies.items() if count > 1},
        wrong=wrong,
        spurious=spurious,
        unaccounted=(missing & deleted.by_kafka) - deleted.announced,
        liveness=liveness,
    )

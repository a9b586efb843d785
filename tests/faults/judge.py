"""Holds the table to the journal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.journal import Journal, Place


class StoredRow(NamedTuple):
    """A row of the table: where its record is, which item of it, and the event that it says it is."""

    place: Place
    item: int
    event_id: str
    crc: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every set must be empty."""

    lost: Set[Place] = frozenset()
    duplicated: Set[Place] = frozenset()
    wrong: Set[Place] = frozenset()
    spurious: Set[Place] = frozenset()
    unaccounted: Set[Place] = frozenset()
    liveness: str = ""
    """Why a fresh event did not arrive, or the lag did not end."""

    @property
    def is_clean(self) -> bool:
        """Whether everything is as promised."""
        return not (self.problems() or self.liveness)

    def problems(self) -> dict[str, Set[Place]]:
        """What is not as promised, by its name."""
        sets = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "wrong": self.wrong,
            "spurious": self.spurious,
            "unaccounted": self.unaccounted,
        }
        return {name: places for name, places in sets.items() if places}

    def in_words(self) -> str:
        """The problems with the first places of each."""
        parts = [f"{len(places)} {name}: {sorted(places)[:5]}" for name, places in self.problems().items()]
        return "; ".join([*parts, *filter(None, [self.liveness])]) or "clean"


@dataclass(frozen=True, slots=True)
class Deleted:
    """Records that Kafka deleted, and those of which the service has said that they were lost by that."""

    by_kafka: Set[Place] = field(default_factory=frozenset)
    announced: Set[Place] = field(default_factory=frozenset)


def judge(journal: Journal, rows: Iterable[StoredRow], deleted: Deleted | None = None, liveness: str = "") -> Verdict:
    """Compare exact sets of identities."""
    deleted = deleted or Deleted()
    copies: Counter[tuple[Place, int]] = Counter()
    wrong, spurious = set(), set()
    for row in rows:
        copies[row.place, row.item] += 1
        event = journal.acknowledged.get(row.place)
        if event is None:  # Kafka may hold it all the same, if we have sent it
            if row.event_id not in journal.sent:
                spurious.add(row.place)
            elif journal.sent[row.event_id] != row.crc:
                wrong.add(row.place)
        elif event.id and (event.id, event.crc) != (row.event_id, row.crc):
            wrong.add(row.place)
    stored = {place for place, _ in copies}
    missing = journal.acknowledged.keys() - stored
    return Verdict(
        lost=missing - deleted.by_kafka,
        duplicated={place for (place, _), count in copies.items() if count > 1},
        wrong=wrong,
        spurious=spurious,
        unaccounted=(missing & deleted.by_kafka) - deleted.announced,
        liveness=liveness,
    )

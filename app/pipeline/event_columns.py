"""The events of a chunk before they become rows: their values, column by column, in order."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, repeat
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.domain.columns import SENT
from app.domain.event import Event
from app.domain.keys import unused_name, with_names_once
from app.domain.receipt import PREFIX, unproven_name
from app.formats.envelope import NOTHING_SAID, Envelope
from app.formats.plain_attributes import NO_ATTRIBUTES, Attributes, pairs_of
from app.formats.text_line import TextLine, take_fields

Pairs = list[tuple[str, Any]]


class EventColumns:
    """Gathers events; call `split` when all are added. Rare values are kept by row.

    An event comes as an `Event`, or as what was found in a line of text; or, if it is a plain JSON object, which most
    are, as that object by the names of the fields in `objects`, and its attributes in `attributes`.
    """

    def __init__(self) -> None:
        self.items: Final[dict[int, int]] = {}  # the number within its record of each row that is not the first
        self.fields: dict[str, list[Any]] = {}
        self.objects: Final[list[dict[str, Any]]] = []
        self.attributes: Final[list[Attributes]] = []
        self.resource: Final[dict[int, Pairs]] = {}
        self.severity_numbers: Final[dict[int, int]] = {}
        self.problems: Final[dict[int, list[str]]] = {}
        self.raw: Final[dict[int, bytes]] = {}
        self.zones: Final[dict[int, ZoneInfo | None]] = {}  # that records name for times without; None: not known
        self.with_proven_receipt: Final[list[int]] = []  # rows

    def __len__(self) -> int:
        return len(self.objects)

    def add_object(self, parsed: dict[str, Any], attributes: Attributes, envelope: Envelope) -> None:
        """Add a plain object whose record says more of it."""
        if envelope.fields:
            envelope.fill(parsed)
        if envelope.timezone:
            self.zones[len(self.objects)] = envelope.zone
        if envelope.kept or envelope.receipt:
            attributes = _parallel(self._with_kept(pairs_of(attributes), envelope))
        self.objects.append(parsed)
        self.attributes.append(attributes)

    def add_line(self, line: TextLine) -> None:
        """Add the only event of a record, a line of text."""
        if line.problem:
            self.problems[len(self.objects)] = [line.problem]
        attributes = line.attributes
        self.objects.append(take_fields(line))
        self.attributes.append((list(attributes), list(attributes.values())))

    def add(self, event: Event, item: int, envelope: Envelope = NOTHING_SAID) -> None:
        """Add an event, number `item` of its record; that with number 0 begins the next record."""
        row = len(self.objects)
        if item:
            self.items[row] = item
        if envelope.kept or envelope.receipt:
            event.attributes = self._with_kept(event.attributes, envelope)
        if envelope.timezone:
            self.zones[row] = envelope.zone
        attributes = event.attributes
        if others := event.without_column():
            attributes = with_names_once([*attributes, *others])
        if event.resource:
            self.resource[row] = event.resource
        if event.severity_number:
            self.severity_numbers[row] = event.severity_number
        if event.problems:
            self.problems[row] = list(event.problems)
        if event.raw:
            self.raw[row] = event.raw
        self.objects.append(event.fields)
        self.attributes.append(_parallel(attributes))

    def _with_kept(self, attributes: Pairs, envelope: Envelope) -> Pairs:
        """Attributes of the next row with those that its record gives, each name once; those of a receipt are first."""
        if envelope.is_proven:
            self.with_proven_receipt.append(len(self.objects))
            if not envelope.kept and not _are_named_like_receipts(attributes):
                return [*envelope.receipt, *attributes]  # no name of the one is in the other
            attributes = [(unproven_name(name), value) for name, value in attributes]
        return with_names_once([*envelope.receipt, *attributes, *envelope.kept])

    def item_counts(self) -> Mapping[int, int]:
        """How many rows the record of a row has, for those where it is not one."""
        if not self.items:
            return {}
        firsts = [row for row in range(len(self)) if row not in self.items]
        ends = [*firsts[1:], len(self)]
        return {row: end - first for first, end in zip(firsts, ends, strict=True) for row in range(first, end)}

    def of_records(self, values: Sequence[int]) -> Sequence[int]:
        """For each row the value of its record, of values by the records' places in the chunk."""
        if not self.items:
            return values
        first_rows = accumulate(0 if row in self.items else 1 for row in range(len(self)))
        return [values[count - 1] for count in first_rows]

    def split(self) -> None:
        """Split all events into values by column. Call it once, at the end."""
        self.fields = {name: list(map(dict.get, self.objects, repeat(name))) for name in SENT}

    def flag(self, row: int, problem: str) -> None:
        """Add a problem of a row: a part of it that was not understood."""
        found = self.problems.setdefault(row, [])
        if problem not in found:
            found.append(problem)

    def keep(self, row: int, name: str, value: object) -> None:
        """Keep a value as an attribute because its column cannot hold it; every name is there once."""
        kept = pairs_of(self.attributes[row])
        self.attributes[row] = _parallel([*kept, (unused_name(name, {used for used, _ in kept}), value)])


def _are_named_like_receipts(attributes: Pairs) -> bool:
    for name, _ in attributes:  # noqa: SIM110  # a generator would take twice as long, and each log of a request comes by
        if name.startswith(PREFIX):
            return True
    return False


def _parallel(pairs: Sequence[tuple[str, Any]]) -> Attributes:
    if not pairs:
        return NO_ATTRIBUTES
    names, values = zip(*pairs, strict=True)
    return names, values

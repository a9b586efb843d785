"""What each value of an event becomes, by the event's keys: worked out once for all events with the same keys. Pure."""

from collections.abc import Mapping
from itertools import chain
from typing import Final, NamedTuple

from app.domain.keys import remember
from app.domain.level_scales import Scale
from app.formats.dialects import Dialect, dialect_of
from app.formats.json_names import (
    IDS,
    LAST_MESSAGE,
    LEVEL_NUMBER,
    POSSIBLE_RANK,
    RANK_OF_OTHER_SERVICES,
    Meaning,
    meaning_of,
)
from app.formats.origin import resource_key_of

Names = tuple[str, ...]
Indexes = tuple[int, ...]


class Plan(NamedTuple):
    """For the leaves of an event, by their index. Candidates of a field are in the order of their precedence."""

    fields: tuple[tuple[str, Indexes], ...]
    """The candidates of each field that is taken as it is: of all but those below."""
    times: Indexes
    sure_times: int
    """How many of these have a name that cannot mean anything else; they are the first."""
    messages: Indexes
    last_messages: Indexes
    levels: Indexes
    level_numbers: Indexes
    ids: Mapping[str, Indexes]
    may_be_left_out: Indexes
    """Candidates that are no attribute if they hold nothing."""
    resource: tuple[tuple[int, str], ...]
    attributes: tuple[tuple[int, str], ...]
    """Every leaf with its name as an attribute, for those that nothing else takes."""
    have_names_once: bool
    scale: Scale | None
    is_looked_at: bool
    """Whether what the names mean was looked up for all of them."""


MOST_NAMES: Final = 1000
"""The values of an event whose names are looked up; any more are attributes whatever their names mean."""

TOO_MANY: Final = f"json: more than {MOST_NAMES:,} values: the others are attributes"

_PLANS_KEPT: Final = 4096
_MOST_KEYS: Final = 200  # of an event whose plan is kept
_MOST_CHARS: Final = 20_000  # of its names
_plans: Final[dict[Names, Plan]] = {}


def plan_of(names: Names) -> Plan:
    """The plan of an event whose leaves have these names, in this order."""
    plan = _plans.get(names)
    if plan is None:
        plan = _made(names)
        if len(names) <= _MOST_KEYS and sum(map(len, names)) <= _MOST_CHARS:
            remember(_plans, names, plan, _PLANS_KEPT)
    return plan


def _made(names: Names) -> Plan:
    known = names[:MOST_NAMES]
    dialect = dialect_of({*known, *(name.partition(".")[0] for name in known)})
    ranked = _candidates(known, dialect)
    of_field = {field: tuple(index for _, index in found) for field, found in ranked.items()}
    attribute_names = [name.removeprefix("attributes.") for name in names]
    may_be_left_out = [of_field.get(field, ()) for field in ("timestamp", "level", "message")]
    return Plan(
        may_be_left_out=tuple(chain.from_iterable(may_be_left_out)),
        times=of_field.pop("timestamp", ()),
        sure_times=sum(rank < POSSIBLE_RANK for rank, _ in ranked.get("timestamp", ())),
        messages=of_field.pop("message", ()),
        last_messages=of_field.pop(LAST_MESSAGE, ()),
        levels=of_field.pop("level", ()),
        level_numbers=of_field.pop(LEVEL_NUMBER, ()),
        ids={kind: of_field.pop(kind) for kind in IDS if kind in of_field},
        fields=tuple(of_field.items()),
        resource=tuple((index, key) for index, name in enumerate(known) if (key := resource_key_of(name))),
        attributes=tuple(enumerate(attribute_names)),
        have_names_once=len(set(attribute_names)) == len(attribute_names),
        scale=dialect.scale if dialect else None,
        is_looked_at=len(names) <= MOST_NAMES,
    )


def _candidates(names: Names, dialect: Dialect | None) -> dict[str, list[tuple[float, int]]]:
    """The ranks and leaves of the names of each field, in the order of their precedence."""
    ranked: dict[str, list[tuple[float, int]]] = {}
    for index, name in enumerate(names):
        if meaning := meaning_in(name, dialect):
            ranked.setdefault(meaning.field, []).append((meaning.rank, index))
    return {field: sorted(found) for field, found in ranked.items()}


# A logger's name may be that of a part of the service: what says which service it is comes before.
_RANK_IN_DIALECT: Final = {"service": RANK_OF_OTHER_SERVICES - 0.25}


def meaning_in(name: str, dialect: Dialect | None) -> Meaning | None:
    """What a name means in an event of a dialect, whose own names come first."""
    if dialect and name in dialect.names:
        field = dialect.names[name]
        return Meaning(field, _RANK_IN_DIALECT.get(field, -1)) if field else None
    return meaning_of(name)

"""The table of aliases keeps its own rules."""

import pytest

from app.domain.aliases import ALIASES
from app.domain.records import LogEvent


def test_every_alias_stands_for_a_field_of_the_event() -> None:
    assert set(ALIASES.values()) <= LogEvent.model_fields.keys() - {"attributes"}


def test_no_alias_is_a_field_itself() -> None:
    assert ALIASES.keys() & LogEvent.model_fields.keys() == set()


@pytest.mark.parametrize(
    "name",
    ["ts", "time", "@timestamp", "severity", "msg", "log", "service.name", "userId", "duration_ms"],
)
def test_the_names_that_loggers_use_most_are_known(name: str) -> None:
    assert name in ALIASES

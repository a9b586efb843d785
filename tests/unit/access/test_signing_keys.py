"""Keys of an issuer are fetched seldom, found again after a rotation, and kept while the issuer is down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.access.errors import IssuerUnavailable
from app.access.signing_keys import SigningKeys
from tests.support.issuer import Issuer

MINUTE, HOUR = 60.0, 3600.0


class World:
    """An issuer, a clock, and how often the keys were fetched."""

    def __init__(self) -> None:
        self.issuer = Issuer("https://issuer.example", "ES256")
        self.now = 1_000.0
        self.fetches = 0
        self.is_down = False
        self.keys = SigningKeys(self._fetch, lambda: self.now)

    def _fetch(self) -> Mapping[str, Any]:
        self.fetches += 1
        if self.is_down:
            raise IssuerUnavailable("it is down")
        return self.issuer.keys

    def has(self, key_id: str) -> bool:
        return self.keys.get(key_id) is not None


def test_keys_are_fetched_once_for_many_tokens() -> None:
    world = World()

    assert all(world.has("key-1") for _ in range(100))
    assert world.fetches == 1


def test_a_new_key_of_the_issuer_is_found_by_its_id() -> None:
    world = World()
    world.has("key-1")
    world.now += MINUTE
    world.issuer.rotate()

    assert world.has("key-2")
    assert world.has("key-1")
    assert world.fetches == 2


def test_made_up_key_ids_cause_at_most_one_fetch_a_minute() -> None:
    world = World()
    for second in range(300):
        world.now = 1_000.0 + second
        assert not world.has(f"made-up-{second}")

    assert world.fetches == 5


def test_a_withdrawn_key_counts_for_an_hour_at_most() -> None:
    world = World()
    world.has("key-1")
    world.issuer.rotate()
    world.issuer.withdraw("key-1")
    world.now += HOUR

    assert not world.has("key-1")


def test_known_keys_count_for_a_day_while_the_issuer_is_down() -> None:
    world = World()
    world.has("key-1")
    world.is_down = True
    world.now += 23 * HOUR
    assert world.has("key-1")

    world.now += HOUR
    with pytest.raises(IssuerUnavailable):
        world.has("key-1")


def test_an_unknown_key_is_not_refused_while_the_issuer_is_down() -> None:
    world = World()
    world.has("key-1")
    world.is_down = True
    world.now += MINUTE

    with pytest.raises(IssuerUnavailable):
        world.has("key-2")


def test_an_issuer_that_was_down_at_first_is_asked_again_after_seconds_but_not_for_every_token() -> None:
    world = World()
    world.is_down = True
    for _ in range(10):
        with pytest.raises(IssuerUnavailable):
            world.has("key-1")
    assert world.fetches == 1

    world.is_down = False
    world.now += 5
    assert world.has("key-1")


@pytest.mark.parametrize("document", [{}, {"keys": []}, {"keys": "none"}, {"keys": [{"kty": "RSA"}]}, {"keys": [1]}])
def test_a_document_without_keys_is_a_failure_of_the_issuer(document: Mapping[str, Any]) -> None:
    keys = SigningKeys(lambda: document, lambda: 0.0)

    with pytest.raises(IssuerUnavailable):
        keys.get("key-1")

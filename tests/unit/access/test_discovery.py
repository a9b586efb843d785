"""The discovery document is fetched once an hour, and an issuer that is down is left in peace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.access.discovery import Discovery
from app.access.errors import IssuerUnavailable

URL = "https://issuer.example/tenant/"
DOCUMENT = {
    "issuer": URL,
    "authorization_endpoint": "https://issuer.example/authorize",
    "token_endpoint": "https://issuer.example/token",
}


class World:
    """An issuer that counts how often it is asked, and a clock."""

    def __init__(self, **changes: object) -> None:
        self.now = 0.0
        self.fetched: list[str] = []
        self.is_down = False
        self.document = {**DOCUMENT, **changes}
        self.discovery = Discovery(URL, self._fetch, lambda: self.now)

    def _fetch(self, url: str) -> Mapping[str, Any]:
        self.fetched.append(url)
        if self.is_down:
            raise IssuerUnavailable("down")
        return self.document


def test_the_document_is_fetched_once_an_hour() -> None:
    world = World()
    for now in (0, 1, 3599):
        world.now = now
        world.discovery.endpoints()

    assert world.fetched == ["https://issuer.example/tenant/.well-known/openid-configuration"]
    world.now = 3600
    world.discovery.endpoints()
    assert len(world.fetched) == 2


def test_an_issuer_that_is_down_is_asked_again_after_five_seconds() -> None:
    world = World()
    world.is_down = True
    for now in (0, 1, 4.9):
        world.now = now
        with pytest.raises(IssuerUnavailable):
            world.discovery.endpoints()
    assert len(world.fetched) == 1

    world.now, world.is_down = 5, False
    assert world.discovery.endpoints().token == DOCUMENT["token_endpoint"]


def test_what_the_document_does_not_say_is_as_the_standard_says() -> None:
    endpoints = World().discovery.endpoints()

    assert endpoints.token_methods == ("client_secret_basic",)
    assert (endpoints.pkce_methods, endpoints.names_issuer) == ((), False)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize("url", [None, 7, "", "/authorize", "http://issuer.example/x", "javascript:alert(1)", "https:"])
def test_an_endpoint_that_others_could_change_is_not_used(name: str, url: object) -> None:
    with pytest.raises(IssuerUnavailable, match=name):
        World(**{name: url}).discovery.endpoints()

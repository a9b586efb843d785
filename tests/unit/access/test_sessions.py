"""A session ends with its time, its token, or its key; and nobody else can make one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.access.principal import Right
from app.access.sessions import Session, Sessions
from app.access.tokens import Token, digest_of

KEY = "k" * 40
NOW = 1_800_000_000.0
HOUR = 3600.0


class World:
    """Tokens that can be changed, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.tokens = {"grafana": token("grafana")}
        self.sessions = self.with_key(KEY)

    def with_key(self, key: str) -> Sessions:
        return Sessions(key, self.tokens.get, HOUR, lambda: self.now)

    def cookie(self) -> str:
        return self.sessions.written(self.sessions.begin(self.tokens["grafana"]))


def token(name: str, text: str = "lat_first", expires: datetime | None = None) -> Token:
    return Token(name, (Right.READ,), digest_of(text), expires)


def test_a_cookie_stands_for_its_token_until_it_ends() -> None:
    world = World()
    cookie = world.cookie()

    assert world.sessions.read(cookie) == Session(world.tokens["grafana"], NOW + HOUR)
    world.now += HOUR - 1
    assert world.sessions.read(cookie)
    world.now += 1
    assert world.sessions.read(cookie) is None


def test_a_session_ends_no_later_than_its_token() -> None:
    world = World()
    expires = datetime.fromtimestamp(NOW + 60, UTC)

    assert world.sessions.begin(token("grafana", expires=expires)).expires_at == NOW + 60


def test_a_session_ends_when_its_token_is_revoked() -> None:
    world = World()
    cookie = world.cookie()
    del world.tokens["grafana"]

    assert world.sessions.read(cookie) is None


def test_a_session_ends_when_its_token_gets_another_secret() -> None:
    world = World()
    cookie = world.cookie()
    world.tokens["grafana"] = token("grafana", "another secret")

    assert world.sessions.read(cookie) is None


def test_instances_with_the_same_key_share_sessions_and_others_do_not() -> None:
    world = World()

    assert world.with_key(KEY).read(world.cookie())
    assert world.with_key("another" + KEY).read(world.cookie()) is None


def test_no_changed_cookie_counts() -> None:
    world = World()
    cookie = world.cookie()
    for place in range(len(cookie)):
        other = "A" if cookie[place] != "A" else "B"
        changed = world.sessions.read(cookie[:place] + other + cookie[place + 1 :])
        # The last character of Base64 has bits without a meaning.
        assert changed is None or place == len(cookie) - 1


@pytest.mark.parametrize("text", ["", ".", "a.b", "é", "x" * 10_000, "WyJncmFmYW5hIl0.AAAA"])
def test_what_is_no_cookie_is_no_session(text: str) -> None:
    assert World().sessions.read(text) is None


def test_a_cookie_holds_no_secret() -> None:
    world = World()

    assert world.tokens["grafana"].digest.hex() not in world.sessions.written(world.sessions.begin(token("grafana")))

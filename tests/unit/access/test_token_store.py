"""A changed file of tokens comes into force without a restart; a broken one does not lock anybody out."""

from datetime import UTC, datetime

import pytest

from app.access.principal import Right
from app.access.token_lines import BadTokens, line_of
from app.access.token_store import TokenStore
from app.access.tokens import Token, Tokens, digest_of, new_secret
from tests.fakes import Clock

OLD, NEW = new_secret(), new_secret()


def line(name: str, secret: str) -> str:
    return line_of(Token(name, (Right.READ,), digest_of(secret)))


class Text:
    """A file that a test changes, and how often it was looked at."""

    def __init__(self, text: str) -> None:
        self.change(text)
        self.looks = 0
        self.error: OSError | None = None

    def change(self, text: str) -> None:
        self.text = text
        self.changed = object()

    def version(self) -> object:
        self.looks += 1
        if self.error:
            raise self.error
        return self.changed

    def read(self) -> str:
        return self.text


class Events:
    """Remembers what happened."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def replaced(self, tokens: Tokens) -> None:
        self.seen.append(",".join(token.name for token in tokens.tokens))

    def broken(self, reason: str) -> None:
        self.seen.append(f"broken: {reason}")


class World:
    def __init__(self, text: str) -> None:
        self.text, self.events, self.clock = Text(text), Events(), Clock()
        self.store = TokenStore(
            self.text, self.events, clock=self.clock, now=lambda: datetime(2026, 11, 30, tzinfo=UTC)
        )

    def knows(self, secret: str) -> bool:
        return self.store.of_secret(secret) is not None


def test_a_new_token_counts_and_a_removed_one_does_not_within_a_second() -> None:
    world = World(line("old", OLD))

    world.text.change(line("new", NEW))
    before = (world.knows(OLD), world.knows(NEW))
    world.clock.advance(1)

    assert before == (True, False)
    assert (world.knows(OLD), world.knows(NEW)) == (False, True)
    assert world.events.seen == ["new"]


def test_the_file_is_looked_at_once_a_second_at_most() -> None:
    world = World(line("old", OLD))

    for _ in range(100):
        world.clock.advance(0.1)
        world.knows(OLD)

    assert world.text.looks <= 11


@pytest.mark.parametrize("broken", ["old read sha256:ab", "x"])
def test_a_broken_file_leaves_the_tokens_from_before_in_force_until_it_is_whole(broken: str) -> None:
    world = World(line("old", OLD))

    world.text.change(broken)
    world.clock.advance(1)
    during = world.knows(OLD)
    world.text.change(line("new", NEW))
    world.clock.advance(1)

    assert during
    assert (world.knows(OLD), world.knows(NEW)) == (False, True)
    assert [seen.partition(" ")[0] for seen in world.events.seen] == ["broken:", "new"]


def test_a_file_that_is_gone_for_a_while_changes_nothing() -> None:
    world = World(line("old", OLD))

    world.text.error = FileNotFoundError(2, "No such file or directory")
    world.clock.advance(1)
    during = world.knows(OLD)
    world.text.error = None
    world.clock.advance(1)

    assert (during, world.knows(OLD)) == (True, True)
    assert world.events.seen[-1] == "old", "the end of the trouble is reported too"


def test_an_empty_file_revokes_every_token() -> None:
    world = World(line("old", OLD))

    world.text.change("# none\n")
    world.clock.advance(1)

    assert not world.knows(OLD)
    assert world.store.named("old") is None


def test_the_first_text_must_be_right() -> None:
    with pytest.raises(BadTokens):
        World("old read")

"""Tokens are found by their secrets alone, while they are valid."""

from datetime import UTC, datetime, timedelta

import pytest

from app.access.principal import GRANTED, Principal, Right
from app.access.tokens import Token, Tokens, digest_of, new_secret
from app.query.language import parse
from app.query.scope import Scope
from tests.support.token_secrets import secret_of

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_every_secret_is_new_and_as_long_as_256_random_bits() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {(secret[:4], len(secret)) for secret in secrets} == {("lat_", 47)}


def test_a_token_is_found_by_its_secret_among_others() -> None:
    secrets = [new_secret() for _ in range(5)]
    tokens = Tokens(Token(f"t{n}", (Right.READ,), digest_of(secret)) for n, secret in enumerate(secrets))

    found = [tokens.of_secret(secret, NOW) for secret in secrets]

    assert [token.name for token in found if token] == ["t0", "t1", "t2", "t3", "t4"]


@pytest.mark.parametrize("secret", ["", "lat_", "x" * 47, secret_of("b"), "lat_" + "é" * 43, secret_of("a") + "\n"])
def test_another_text_finds_nothing(secret: str) -> None:
    assert Tokens([Token("a", (Right.READ,), digest_of(new_secret()))]).of_secret(secret, NOW) is None


def test_the_hash_of_a_token_is_not_its_secret() -> None:
    digest = digest_of(new_secret())
    tokens = Tokens([Token("a", (Right.READ,), digest)])

    assert tokens.of_secret(digest.hex(), NOW) is None
    assert tokens.of_secret(f"sha256:{digest.hex()}", NOW) is None


def test_a_token_gives_nothing_from_the_moment_on_at_which_it_expires() -> None:
    secret = new_secret()
    tokens = Tokens([Token("a", (Right.READ,), digest_of(secret), expires=NOW)])

    assert tokens.of_secret(secret, NOW - timedelta(milliseconds=1)) is not None
    assert tokens.named("a", NOW - timedelta(milliseconds=1)) is not None
    assert tokens.of_secret(secret, NOW) is None
    assert tokens.named("a", NOW) is None


def test_a_principal_has_the_rights_and_the_scope_of_its_token() -> None:
    scope = Scope(parse("service:payment-*").tree)

    principal = Token("a", (Right.READ,), b"", scope=scope).principal

    assert principal == Principal("a", (Right.READ,), scope)
    assert [right for right in Right if principal.may(right)] == [Right.NONE, Right.READ]
    assert not principal.sees_everything


@pytest.mark.parametrize("right", GRANTED)
def test_no_right_includes_another(right: Right) -> None:
    principal = Principal("a", (right,))

    assert {other for other in GRANTED if principal.may(other)} == {right}

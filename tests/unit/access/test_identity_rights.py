"""Which rights an identity has: the first line that matches it says so."""

from __future__ import annotations

import pytest

from app.access.identity_rights import read_identity_rights
from app.access.oidc import Identity
from app.access.principal import Principal, Right
from app.access.token_lines import BadTokens
from app.query.language import parse
from app.query.scope import Scope

RIGHTS = read_identity_rights(
    """
    # who        what
    alice@example.org read,ingest,admin
    group:payments read only=service:payment-* OR service:billing
    @Example.org read
    sub:repo:example/app ingest
    """
)
PAYMENTS = Scope(parse("service:payment-* OR service:billing").tree)


@pytest.mark.parametrize(
    ("identity", "principal"),
    [
        (Identity("1", "alice@example.org"), ((Right.READ, Right.INGEST, Right.ADMIN), Scope())),
        (Identity("2", "bob@example.org", frozenset({"payments"})), ((Right.READ,), PAYMENTS)),
        (Identity("2", "bob@example.org", frozenset({"others"})), ((Right.READ,), Scope())),
        (Identity("repo:example/app"), ((Right.INGEST,), Scope())),
        (Identity("3", "eve@evil.example"), ((), Scope())),
        (Identity("3", "eve@example.org.evil.example"), ((), Scope())),
        (Identity("3", "eve@sub.example.org"), ((), Scope())),
        (Identity("alice@example.org"), ((), Scope())),
        (Identity("group:payments"), ((), Scope())),
        (Identity("4", ""), ((), Scope())),
    ],
    ids=str,
)
def test_the_first_line_that_matches_counts(identity: Identity, principal: tuple[tuple[Right, ...], Scope]) -> None:
    assert RIGHTS.principal_of(identity) == Principal(identity.name, *principal)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alice@example.org", "line 1, column 1: must be like WHO SCOPES"),
        ("alice read", "line 1, column 1: 'alice' must be like alice@example.org"),
        ("@ read", "'@' must be like"),
        ("group: read", "'group:' must be like"),
        ("team:ops read", "'team:ops' must be like"),
        ("\n@example.org write", "line 2, column 14: the scopes 'write' must be of read,ingest,admin"),
        ("@example.org read limit=5", "line 1, column 19: 'limit=5' must be only=QUERY"),
        ("@example.org read only=(a", "line 1, column"),
        ("@example.org ingest only=a", "limits what is read"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: str, problem: str) -> None:
    with pytest.raises(BadTokens) as caught:
        read_identity_rights(line)

    assert problem in str(caught.value)

"""Which rights the identities of an issuer have: lines of a setting, of which the first that matches counts.

    WHO SCOPES [only=QUERY to the end of the line]
    alice@example.org read,admin
    group:payments read only=service:payment-*
    @example.org read

WHO is an address, all addresses of a domain, `group:` and a group, or `sub:` and a subject.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from app.access.oidc import Identity
from app.access.principal import Principal, Right
from app.access.token_lines import BadLine, BadTokens, read_only, read_scopes, words_of
from app.query.scope import EVERYTHING, Scope

_FORM: Final = "WHO SCOPES [only=QUERY], WHO like alice@example.org, @example.org, group:ops or sub:1234"


_GROUP: Final = "group:"


class _Line(Struct, frozen=True):
    who: str
    rights: tuple[Right, ...]
    scope: Scope

    def matches(self, identity: Identity) -> bool:
        kind, _, name = self.who.partition(":")
        if kind == "group":
            return name in identity.groups
        if kind == "sub":
            return name == identity.subject
        if self.who.startswith("@"):
            return identity.email.endswith(self.who.lower())
        return identity.email == self.who.lower()


class IdentityRights:
    """The rights of identities."""

    def __init__(self, lines: Iterable[_Line]) -> None:
        self._lines = tuple(lines)

    @property
    def groups(self) -> frozenset[str]:
        """The groups that have rights."""
        return frozenset(line.who.removeprefix(_GROUP) for line in self._lines if line.who.startswith(_GROUP))

    def principal_of(self, identity: Identity) -> Principal:
        """The principal that an identity is; it has no rights if no line matches."""
        line = next((line for line in self._lines if line.matches(identity)), None)
        return Principal(identity.name, line.rights, line.scope) if line else Principal(identity.name)


def read_identity_rights(text: str) -> IdentityRights:
    """The rights that a text gives.

    Raises:
        BadTokens: with every problem.
    """
    lines: list[_Line] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip() and not line.lstrip().startswith("#"):
                lines.append(_line(line))
        except BadLine as wrong:
            problems.append(f"line {number}, column {wrong.column + 1}: {wrong}")
    if problems:
        raise BadTokens(problems)
    return IdentityRights(lines)


def _line(text: str) -> _Line:
    words = list(words_of(text))
    if not 2 <= len(words) <= 3:
        raise BadLine(0, f"must be like {_FORM}")
    who, scopes, *options = words
    kind, colon, name = who.text.partition(":")
    is_named = bool(name) and kind in ("group", "sub") if colon else "@" in who.text[:-1]
    if not is_named:
        raise BadLine(who.column, f"{who.text!r} must be like alice@example.org, @example.org, group:ops or sub:1234")
    rights = read_scopes(scopes.text, scopes.column)
    if not options:
        return _Line(who.text, rights, EVERYTHING)
    key, _, query = options[0].text.partition("=")
    if key != "only":
        raise BadLine(options[0].column, f"{options[0].text!r} must be only=QUERY")
    return _Line(who.text, rights, read_only(query, rights, options[0].column + len("only=")))

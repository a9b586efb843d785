"""Sessions of browsers whose person has signed in at an issuer: what a signed cookie says.

What the person may do is looked up for every request, by the identity as it was at the sign-in. The session ends with
its time: the issuer is not asked again.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from app.access.identity_rights import IdentityRights
from app.access.oidc import Identity
from app.access.principal import Principal
from app.access.signed_values import SignedValues

_PURPOSE: Final = "session of "


class PersonSession(Struct, frozen=True):
    """Who has signed in, and the text of the cookie that says so until `expires_at` (seconds since 1970)."""

    principal: Principal
    cookie: str
    expires_at: float


class PersonSessions:
    """Begins sessions and reads their cookies. `now` returns the seconds since 1970.

    Instances with the same `key` share their sessions; those of another issuer do not count, since its subjects are
    other people.
    """

    def __init__(
        self, key: str, issuer_url: str, rights: IdentityRights, lifetime_secs: float, now: Callable[[], float]
    ) -> None:
        self._signed = SignedValues(key, _PURPOSE + issuer_url)
        self._rights = rights
        self._lifetime_secs = lifetime_secs
        self._now = now

    def begin(self, identity: Identity) -> PersonSession:
        """A session. Of the groups only those that may matter are in the cookie: browsers keep no large ones."""
        known = replace(identity, groups=identity.groups & self._rights.groups)
        ends_at = int(self._now() + self._lifetime_secs)
        text = self._signed.write(known.subject, known.email, sorted(known.groups), ends_at)
        return PersonSession(self._rights.principal_of(known), text, ends_at)

    def read(self, text: str) -> Principal | None:
        """Whose session a cookie is of; None if it has ended, or is none of ours."""
        match self._signed.read(text):
            case [str(subject), str(email), list(groups), int(ends_at)] if self._now() < ends_at:
                return self._rights.principal_of(Identity(subject, email, frozenset(groups)))
        return None

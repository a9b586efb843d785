"""What `AUTH_MODE=oidc` adds to who may do what."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.api.authentication import Identify
from app.api.login import Way


@dataclass(frozen=True, slots=True)
class OidcParts:
    """What `AUTH_MODE=oidc` adds."""

    chosen: Sequence[Identify] = ()
    """Identify by a credential that the sender chose."""
    added: Sequence[Identify] = ()
    """Identify by one that the proxy adds to all requests."""
    login: Way | None = None
    """Signs people in at the issuer."""

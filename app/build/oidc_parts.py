"""What `AUTH_MODE=oidc` adds to who may do what."""

from collections.abc import Sequence

from msgspec import Struct

from app.api.authentication import Identify
from app.api.login import Way


class OidcParts(Struct, frozen=True):
    """What `AUTH_MODE=oidc` adds."""

    chosen: Sequence[Identify] = ()
    """Identify by a credential that the sender chose."""
    added: Sequence[Identify] = ()
    """Identify by one that the proxy adds to all requests."""
    login: Way | None = None
    """Signs people in at the issuer."""

"""Identifies the sender of a request by an ID token, or by the assertion of Google's Identity-Aware Proxy."""

from typing import Final

from app.access.identity_rights import IdentityRights
from app.access.oidc import Issuer
from app.access.principal import Principal
from app.api.authentication import Identify
from app.api.credentials import secrets_in
from app.api.request_head import RequestHead

_ASSERTION_HEADER: Final = "X-Goog-Iap-Jwt-Assertion"


def by_id_token(issuer: Issuer, rights: IdentityRights) -> Identify:
    """Identifies by an ID token where a token may stand, such as `Authorization: Bearer`."""

    def identify(head: RequestHead) -> Principal | None:
        token = next((secret for secret in secrets_in(head.headers) if _is_signed_json(secret)), None)
        return None if token is None else rights.principal_of(issuer.verify(token))

    return identify


def by_proxy_assertion(proxy: Issuer, rights: IdentityRights) -> Identify:
    """Identifies by the header that the Identity-Aware Proxy adds. Headers with a name alone prove nothing."""

    def identify(head: RequestHead) -> Principal | None:
        assertion = head.headers.get(_ASSERTION_HEADER)
        return None if assertion is None else rights.principal_of(proxy.verify(assertion))

    return identify


def _is_signed_json(secret: str) -> bool:
    """Whether it has the form of a JSON Web Token: three parts, the first the JSON of an object."""
    return secret.startswith("ey") and secret.count(".") == 2

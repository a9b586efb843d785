"""Who is identified by ID tokens, and by the Identity-Aware Proxy."""

import time
from collections.abc import Sequence

from app.access.identity_rights import IdentityRights, read_identity_rights
from app.access.oidc import Issuer, discovered_keys, identity_aware_proxy
from app.access.signing_keys import SigningKeys
from app.access.token_lines import BadTokens
from app.api.authentication import Identify
from app.api.id_tokens import by_id_token, by_proxy_assertion
from app.backends.issuer_documents import fetch_json
from app.errors import BadSettings
from app.query.service import names_in
from app.settings import AuthSettings


def id_token_kinds(settings: AuthSettings) -> tuple[Sequence[Identify], Sequence[Identify]]:
    """What identifies by a credential that the sender chose, and what by one that the proxy adds to all requests.

    Raises:
        BadSettings: AUTH_OIDC_RIGHTS cannot be used.
    """
    rights = _rights(settings)
    chosen: list[Identify] = []
    added: list[Identify] = []
    if settings.oidc_issuer is not None:
        chosen.append(by_id_token(_issuer(settings, settings.oidc_issuer), rights))
    if settings.iap_audience is not None:
        proxy = identity_aware_proxy(settings.iap_audience, fetch_json, time.monotonic)
        added.append(by_proxy_assertion(proxy, rights))
    return chosen, added


def _rights(settings: AuthSettings) -> IdentityRights:
    try:
        return read_identity_rights(settings.oidc_rights)
    except BadTokens as error:
        raise BadSettings([f"AUTH_OIDC_RIGHTS: {problem}" for problem in error.problems]) from error


def _issuer(settings: AuthSettings, url: str) -> Issuer:
    keys = SigningKeys(discovered_keys(url, fetch_json), time.monotonic)
    return Issuer(url, tuple(names_in(settings.oidc_audiences)), keys, groups_claim=settings.oidc_groups_claim)

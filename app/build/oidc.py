"""Who is identified by ID tokens, by the Identity-Aware Proxy, and by signing in at the issuer."""

import time
from typing import Final

from msgspec.structs import replace

from app.access.discovery import Discovery
from app.access.failed_logins import FailedLogins
from app.access.identity_rights import IdentityRights, read_identity_rights
from app.access.oidc import Issuer, identity_aware_proxy
from app.access.person_sessions import PersonSessions
from app.access.sign_in import Attempts, Client, SignIn
from app.access.signing_keys import SigningKeys
from app.access.token_lines import BadTokens
from app.api.admission import Admission
from app.api.authentication import Identify
from app.api.id_tokens import by_id_token, by_proxy_assertion
from app.api.oidc_login import OidcLogin
from app.auth_settings import AuthSettings
from app.backends.issuer_documents import fetch_json, post_form
from app.build.oidc_parts import OidcParts
from app.errors import BadSettings
from app.http.line_budget import LineBudget
from app.query.service import names_in

_EXCHANGES: Final = 8
_EXCHANGE_WAIT_SECS: Final = 5.0


def build_oidc(settings: AuthSettings, session_key: str, failures: FailedLogins) -> OidcParts:
    """The parts.

    Raises:
        BadSettings: AUTH_OIDC_RIGHTS cannot be used.
    """
    rights = _rights(settings)
    chosen: list[Identify] = []
    added: list[Identify] = []
    login = None
    if settings.oidc_issuer is not None:
        discovery = Discovery(settings.oidc_issuer, fetch_json, time.monotonic)
        issuer = _issuer(settings, settings.oidc_issuer, discovery)
        if issuer.audiences:
            chosen.append(by_id_token(issuer, rights))
        if settings.oidc_client_id is not None:
            client = Client(
                settings.oidc_client_id,
                settings.oidc_client_secret.get_secret_value(),
                settings.redirect_uri,
                settings.oidc_scopes,
            )
            # The ID token of a sign-in is for the client, whomever else those of headers may be for.
            sign_in = SignIn(client, replace(issuer, audiences=(client.id,)), discovery, post_form)
            sessions = PersonSessions(session_key, issuer.url, rights, settings.session_hours * 3600, time.time)
            exchanges = Admission(_EXCHANGES, wait_secs=_EXCHANGE_WAIT_SECS)
            lines = LineBudget(time.monotonic)
            login = OidcLogin(sign_in, Attempts(session_key, time.time), sessions, failures, exchanges, lines)
    if settings.iap_audience is not None:
        proxy = identity_aware_proxy(settings.iap_audience, fetch_json, time.monotonic)
        added.append(by_proxy_assertion(proxy, rights))
    return OidcParts(chosen, added, login)


def _rights(settings: AuthSettings) -> IdentityRights:
    try:
        return read_identity_rights(settings.oidc_rights)
    except BadTokens as error:
        raise BadSettings([f"AUTH_OIDC_RIGHTS: {problem}" for problem in error.problems]) from error


def _issuer(settings: AuthSettings, url: str, discovery: Discovery) -> Issuer:
    keys = SigningKeys(discovery.keys, time.monotonic)
    return Issuer(url, tuple(names_in(settings.oidc_audiences)), keys, groups_claim=settings.oidc_groups_claim)

"""Checks of the issuer at which people sign in, and of what its discovery document offers."""

from typing import Final, NamedTuple

from app.preflight.findings import Finding, ok, problem, warning
from app.settings import Settings

_SIGN_IN: Final = "sign-in"


class IssuerProbe(NamedTuple):
    """What the discovery document says of signing in."""

    authorization: str
    token_methods: tuple[str, ...]
    pkce_methods: tuple[str, ...]  # none if it does not say


def unreachable(reason: str) -> list[Finding]:
    """The findings if there is no such document, or no usable one."""
    return [problem("issuer", reason, "Check AUTH_OIDC_ISSUER, and that this machine can connect to it")]


def check_issuer(probe: IssuerProbe, settings: Settings) -> list[Finding]:
    """Whether browsers can sign in there. Only the issuer knows which redirect URIs it accepts."""
    auth = settings.auth
    found = [ok("issuer", "its discovery document can be read")]
    if auth.oidc_client_id is None:
        return found
    redirect = f"browsers go to {probe.authorization}; the issuer must accept the redirect URI {auth.redirect_uri}"
    found.append(ok(_SIGN_IN, redirect))
    if auth.oidc_client_secret.get_secret_value() and not any(
        method in probe.token_methods for method in ("client_secret_basic", "client_secret_post")
    ):
        methods = ", ".join(probe.token_methods)
        found.append(problem(_SIGN_IN, f"the issuer takes no client secret, only {methods}", "Use a public client"))
    if probe.pkce_methods and "S256" not in probe.pkce_methods:
        found.append(warning(_SIGN_IN, "the issuer does not check PKCE (S256), so stolen codes are less well guarded"))
    if auth.sign_in_url.startswith("https:") and not settings.http.trusted_proxies:
        advice = "Set HTTP_TRUSTED_PROXIES to the addresses of the proxy that ends TLS"
        found.append(
            warning(_SIGN_IN, "AUTH_PUBLIC_URL is https, but no proxy may say so: cookies lack Secure", advice)
        )
    return found

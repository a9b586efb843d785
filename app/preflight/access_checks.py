"""Whether it is said who may use the service, where others than this machine can reach it."""

from typing import Final

from app.auth_settings import AuthSettings
from app.preflight.findings import Finding, ok, problem, warning
from app.settings import Settings

_WAYS_OUT: Final = (
    "set AUTH_TOKENS_FILE to a file of tokens (`python -m app token create NAME --scope read --file FILE` makes one),"
    " or AUTH_MODE=none if something in front of the service decides who may connect"
)


def refusal(settings: Settings) -> str | None:
    """Why the service must not start as it is, and both ways out; None if it may."""
    if settings.http.is_loopback or settings.auth.needs_token or settings.auth.mode is not None:
        return None
    return (
        f"HTTP_HOST is {settings.http.host!r}, so others can connect, and nothing says who may read logs: {_WAYS_OUT}"
    )


def exposure(settings: Settings) -> str | None:
    """A sentence for the start if anybody who can connect may read every log; None otherwise."""
    if settings.http.is_loopback or settings.auth.mode != "none":
        return None
    return f"AUTH_MODE=none: everybody who can connect to {settings.http.host}:{settings.http.port} may read every log"


def check_access(settings: Settings) -> Finding:
    """The same as a finding."""
    if settings.auth.needs_token:
        return ok("access", f"requests need {_credentials(settings.auth)}")
    if reason := refusal(settings):
        return problem("access", f"the service will not start: {reason}")
    if sentence := exposure(settings):
        return warning("access", sentence, "Make sure that something in front of the service decides who may connect")
    return ok("access", f"no token is needed, and only this machine can connect ({settings.http.host})")


def _credentials(auth: AuthSettings) -> str:
    counts = {
        "an ID token": bool(auth.oidc_audiences.strip(" ,")) or auth.iap_audience is not None,
        "a token": auth.has_tokens,
        "a sign-in at the issuer": auth.oidc_client_id is not None,
    }
    kinds = " or ".join(kind for kind, is_one in counts.items() if is_one)
    has_sessions = auth.has_tokens or auth.oidc_client_id is not None
    if auth.session_key.get_secret_value() or not has_sessions:
        return kinds
    return f"{kinds}; AUTH_SESSION_KEY is unset, so a restart logs browsers out, and instances do not share sessions"

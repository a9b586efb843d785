"""Who may do what, from the settings."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from app.access.failed_logins import FailedLogins
from app.access.sessions import Sessions
from app.access.token_lines import BadTokens
from app.access.token_store import TokenStore, TokenText
from app.api.authentication import Authenticator, CredentialAuthenticator, NoAuthentication, by_token
from app.api.login import Login
from app.api.login_page import IssuerLink
from app.api.token_login import TokenLogin
from app.auth_settings import AuthSettings
from app.build.oidc_parts import OidcParts
from app.errors import BadSettings
from app.health import Health
from app.metrics import Metrics
from app.preflight.access_checks import refusal
from app.settings import Settings
from app.telemetry.access import TokenTelemetry


class AccessParts(Struct, frozen=True):
    """The authenticator of all endpoints, and the health of what it depends on, by name."""

    authenticator: Authenticator
    health: Mapping[str, Health] = field(default_factory=dict)
    login: Login | None = None
    """Where browsers get a session."""
    is_open: bool = True
    """Whether anybody may do everything."""


OPEN: Final = AccessParts(NoAuthentication())
"""Where anybody may do everything."""


def build_access(settings: Settings, metrics: Metrics) -> AccessParts:
    """The parts.

    Raises:
        BadSettings: the tokens, or the rights of identities, cannot be used, or it is not said who may do what.
    """
    if reason := refusal(settings):
        raise BadSettings([reason])
    auth = settings.auth
    if not auth.needs_token:
        return OPEN
    key = auth.session_key.get_secret_value() or secrets.token_urlsafe()
    failures = FailedLogins(time.monotonic)
    oidc = _oidc(auth, key, failures)
    health = Health()
    store = token_store(auth, metrics, health) if auth.has_tokens else None
    login = _login(auth, store, oidc, key, failures)
    # What the sender chose counts before what a proxy adds to every request.
    kinds = [
        *([by_token(store.of_secret)] if store else ()),
        *oidc.chosen,
        *([login.identify] if login else ()),
        *oidc.added,
    ]
    return AccessParts(CredentialAuthenticator(kinds), {"access": health} if store else {}, login, is_open=False)


def _oidc(settings: AuthSettings, key: str, failures: FailedLogins) -> OidcParts:
    if settings.mode != "oidc":
        return OidcParts()
    from app.build.oidc import build_oidc  # late: it takes memory for cryptography

    return build_oidc(settings, key, failures)


def _login(
    settings: AuthSettings, store: TokenStore | None, oidc: OidcParts, key: str, failures: FailedLogins
) -> Login | None:
    tokens = None
    if store is not None:
        sessions = Sessions(key, store.named, settings.session_hours * 3600, time.time)
        tokens = TokenLogin(sessions, store.of_secret, failures)
    if tokens is None and oidc.login is None:
        return None
    link = IssuerLink(settings.oidc_name, settings.sign_in_url) if oidc.login else None
    return Login(tokens=tokens, issuer=oidc.login, link=link)


def token_store(
    settings: AuthSettings, metrics: Metrics, health: Health, *, clock: Callable[[], float] = time.monotonic
) -> TokenStore:
    """The tokens of AUTH_TOKENS_FILE or AUTH_TOKENS.

    Raises:
        BadSettings: they cannot be used.
    """
    path = settings.tokens_file
    source = f"AUTH_TOKENS_FILE={path}" if path else "AUTH_TOKENS"
    text: TokenText = TokenFile(path) if path else _FixedText(settings.tokens.get_secret_value())
    events = TokenTelemetry(source, metrics, health)
    try:
        return TokenStore(text, events, clock=clock, now=lambda: datetime.now(UTC))
    except BadTokens as error:
        raise BadSettings([f"{source}: {problem}" for problem in error.problems]) from error
    except OSError as error:
        raise BadSettings([f"{source}: the file cannot be read ({error.strerror})"]) from error
    except ValueError as error:
        raise BadSettings([f"{source}: the file is not UTF-8 text"]) from error


class TokenFile:
    """A file of tokens. See `TokenText`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def version(self) -> object:
        """Changes with every way to change a file: written, replaced, or behind another symbolic link."""
        found = self._path.stat()
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> str:
        """The content."""
        return self._path.read_text(encoding="utf-8-sig")


class _FixedText:
    """The text of an environment variable. See `TokenText`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def version(self) -> object:
        """It never changes."""
        return None

    def read(self) -> str:
        """The text."""
        return self._text

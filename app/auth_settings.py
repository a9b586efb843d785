"""The settings of who may do what."""

from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, field_validator

from app.settings_group import SettingsGroup

_MIN_SESSION_KEY: Final = 32


class AuthSettings(SettingsGroup):
    """Who may do what. Environment: AUTH_*."""

    mode: Literal["token", "oidc", "none"] | None = Field(
        None,
        description="Who may send requests. `token`: those with a token. `oidc`: those with an ID token of an issuer,"
        " those who have signed in there, those with an assertion of the Identity-Aware Proxy, or with a token if there"
        " are any. `none`: anybody who can connect."
        " Unset: `token` if there are tokens, else `none`, but then HTTP_HOST must be a loopback address.",
    )
    tokens: SecretStr = Field(
        SecretStr(""),
        description="Tokens, one a line, as the command `token create` prints them (hashes, no secrets).",
    )
    tokens_file: FilePath | None = Field(
        None, description="File with such lines instead, read again when it changes, without a restart."
    )

    session_key: SecretStr = Field(
        SecretStr(""),
        description="Signs the cookies of browsers that are logged in, 32 characters or more. Unset: random, so that a"
        " restart ends all sessions, and instances do not share them.",
    )
    session_hours: float = Field(12, gt=0, le=720, description="How long a browser stays logged in, at most.")
    oidc_issuer: str | None = Field(
        None, description="Whose ID tokens count, such as `https://accounts.google.com`: an HTTPS address."
    )
    oidc_audiences: str = Field(
        "", description="For whom ID tokens must be made (`aud`): client ids or addresses, comma-separated."
    )
    oidc_groups_claim: str = Field("groups", min_length=1, description="Claim with the names of a person's groups.")
    oidc_rights: str = Field(
        "",
        description="Who has which rights, one a line, the first that matches counts: `alice@example.org read,admin`,"
        " `group:ops read`, `@example.org read only=service:web-*`, `sub:1234 ingest`.",
    )
    oidc_client_id: str | None = Field(
        None,
        description="The issuer's id of this service: with it, people sign in at the issuer in their browsers.",
    )
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The secret that belongs to the client id; unset for a public client."
    )
    oidc_name: str = Field("single sign-on", min_length=1, description="Name of the issuer on the page `/login`.")
    oidc_scopes: str = Field(
        "openid email",
        description="What browsers ask the issuer for, separated by spaces. Some need `groups` for groups.",
    )
    public_url: str | None = Field(
        None,
        description="Address of the service in browsers, such as `https://logs.example.org`, without a path. With the"
        " path `/login/oidc/callback` it is the redirect URI, which the issuer must know.",
    )
    iap_audience: str | None = Field(
        None,
        description="Audience of the Identity-Aware Proxy's assertions, such as"
        " `/projects/NUMBER/global/backendServices/ID`; unset, they do not count.",
    )

    @field_validator("session_key")
    @classmethod
    def _is_long(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < _MIN_SESSION_KEY:
            raise ValueError(f"must have at least {_MIN_SESSION_KEY} characters")
        return key

    @field_validator("oidc_issuer")
    @classmethod
    def _is_trustworthy(cls, url: str | None) -> str | None:
        if url is not None and not _is_trustworthy(url):
            raise ValueError("must be like https://accounts.google.com")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        origin = url.lower().removesuffix("/")
        if not _is_trustworthy(origin) or "@" in origin or urlsplit(origin)[2:] != ("", "", ""):
            raise ValueError("must be like https://logs.example.org, without a path (http:// only for localhost)")
        return origin.removesuffix(":443" if origin.startswith("https") else ":80")

    @field_validator("oidc_scopes")
    @classmethod
    def _has_openid(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("must have openid among the scopes, such as openid email groups")
        return " ".join(scopes.split())

    @property
    def sign_in_url(self) -> str:
        """Where signing in at the issuer begins."""
        return f"{self.public_url or ''}/login/oidc"

    @property
    def redirect_uri(self) -> str:
        """Where the issuer leads browsers back to."""
        return f"{self.sign_in_url}/callback"

    @property
    def public_host(self) -> str:
        """The name in `public_url`; empty without one."""
        return urlsplit(self.public_url or "").hostname or ""

    @property
    def needs_token(self) -> bool:
        """Whether requests need credentials."""
        return self.mode in ("token", "oidc") or (self.mode is None and self.has_tokens)

    @property
    def has_tokens(self) -> bool:
        """Whether there are tokens."""
        return bool(self.tokens.get_secret_value()) or self.tokens_file is not None

    def _conflicts(self) -> Iterator[str]:
        if self.tokens.get_secret_value() and self.tokens_file is not None:
            yield "AUTH_TOKENS and AUTH_TOKENS_FILE are both set: set one of them"
        if self.mode == "token" and not self.has_tokens:
            yield (
                "AUTH_MODE=token needs AUTH_TOKENS_FILE or AUTH_TOKENS; `python -m app token create NAME --scope read`"
                " makes a token"
            )
        if self.mode == "none" and self.has_tokens:
            yield "AUTH_MODE=none would ignore AUTH_TOKENS or AUTH_TOKENS_FILE: set AUTH_MODE=token, or unset them"
        yield from self._oidc_conflicts()

    def _oidc_conflicts(self) -> Iterator[str]:
        given = {
            "AUTH_OIDC_ISSUER": self.oidc_issuer,
            "AUTH_OIDC_AUDIENCES": self.oidc_audiences,
            "AUTH_OIDC_RIGHTS": self.oidc_rights,
            "AUTH_OIDC_CLIENT_ID": self.oidc_client_id,
            "AUTH_OIDC_CLIENT_SECRET": self.oidc_client_secret.get_secret_value(),
            "AUTH_PUBLIC_URL": self.public_url,
            "AUTH_IAP_AUDIENCE": self.iap_audience,
        }
        if self.mode != "oidc":
            if names := [name for name, value in given.items() if value]:
                yield f"{' and '.join(names)} would have no effect: set AUTH_MODE=oidc, which accepts tokens too"
            return
        has_use = bool(self.oidc_audiences.strip(" ,")) or self.oidc_client_id is not None
        if self.oidc_issuer is None and self.iap_audience is None:
            yield (
                "AUTH_MODE=oidc needs AUTH_OIDC_ISSUER, and AUTH_OIDC_AUDIENCES or AUTH_OIDC_CLIENT_ID; or"
                " AUTH_IAP_AUDIENCE"
            )
        if bool(self.oidc_issuer) != has_use:
            yield "AUTH_OIDC_ISSUER is needed together with AUTH_OIDC_AUDIENCES, AUTH_OIDC_CLIENT_ID or both"
        if bool(self.oidc_client_id) != bool(self.public_url):
            yield "AUTH_OIDC_CLIENT_ID and AUTH_PUBLIC_URL are needed together, for signing in in browsers"
        if self.oidc_client_secret.get_secret_value() and self.oidc_client_id is None:
            yield "AUTH_OIDC_CLIENT_SECRET needs AUTH_OIDC_CLIENT_ID"
        if not self.oidc_rights.strip():
            yield "AUTH_MODE=oidc needs AUTH_OIDC_RIGHTS: without it nobody has any right"


def _is_trustworthy(url: str) -> bool:
    """Whether nobody on the way can change what is there: HTTPS, or this machine."""
    try:
        parts = urlsplit(url)
        is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        return bool(parts.hostname) and (parts.scheme == "https" or is_local)
    except ValueError:
        return False

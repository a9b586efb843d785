"""The discovery document of an issuer (OpenID Connect Discovery 1.0, section 3): where its keys and endpoints are."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from app.access.errors import IssuerUnavailable

Fetch = Callable[[str], Mapping[str, Any]]
"""Returns the JSON object at a URL. Raises IssuerUnavailable."""

_FRESH_SECS: Final = 3600.0
_RETRY_SECS: Final = 5.0
"""After a failed fetch: whoever asks meanwhile gets the same failure, so that nobody can flood the issuer."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_DEFAULT_METHODS: Final = ("client_secret_basic",)  # Discovery, section 3


class Endpoints(Struct, frozen=True):
    """What a client of the authorization code flow needs to know of an issuer."""

    authorization: str
    token: str
    token_methods: tuple[str, ...]
    """How clients may authenticate at the token endpoint."""
    pkce_methods: tuple[str, ...]
    """How it checks PKCE; empty if it does not say."""
    names_issuer: bool
    """Whether each authorization response has the parameter `iss` (RFC 9207, section 3)."""


class Discovery:
    """The document of one issuer, kept for an hour. Shared by threads; `clock` returns seconds that only grow."""

    def __init__(self, issuer_url: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer_url = issuer_url
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._document: Mapping[str, Any] = {}
        self._fetched_at = float("-inf")
        self._failure: IssuerUnavailable | None = None
        self._failed_at = float("-inf")

    def keys(self) -> Mapping[str, Any]:
        """The keys, fetched now (RFC 7517, section 5).

        Raises:
            IssuerUnavailable: with the reason.
        """
        return self._fetch(self._url_of("jwks_uri"))

    def endpoints(self) -> Endpoints:
        """The endpoints.

        Raises:
            IssuerUnavailable: with the reason.
        """
        return Endpoints(
            authorization=self._url_of("authorization_endpoint"),
            token=self._url_of("token_endpoint"),
            token_methods=self._words_of("token_endpoint_auth_methods_supported") or _DEFAULT_METHODS,
            pkce_methods=self._words_of("code_challenge_methods_supported"),
            names_issuer=self._current().get("authorization_response_iss_parameter_supported") is True,
        )

    def _url_of(self, name: str) -> str:
        url = self._current().get(name)
        if not isinstance(url, str):
            raise IssuerUnavailable(f"The discovery document of {self._issuer_url} has no {name}.")
        if not is_trustworthy(url):
            raise IssuerUnavailable(f"The {name} of {self._issuer_url}, {url}, is not an HTTPS address.")
        return url

    def _words_of(self, name: str) -> tuple[str, ...]:
        words = self._current().get(name)
        return tuple(map(str, words)) if isinstance(words, list) else ()

    def _current(self) -> Mapping[str, Any]:
        """The document. While one thread fetches it, the others wait."""
        with self._lock:
            now = self._clock()
            if now - self._fetched_at < _FRESH_SECS:
                return self._document
            if self._failure is not None and now - self._failed_at < _RETRY_SECS:
                raise self._failure
            try:
                self._document = self._fetched()
            except IssuerUnavailable as error:
                self._failure, self._failed_at = error, now
                raise
            self._failure, self._fetched_at = None, now
            return self._document

    def _fetched(self) -> Mapping[str, Any]:
        document = self._fetch(f"{self._issuer_url.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer_url:
            raise IssuerUnavailable(f"The discovery document of {self._issuer_url} is of another issuer.")
        return document


def is_trustworthy(url: str) -> bool:
    """Whether nobody on the way can change what this URL returns: HTTPS, or this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or is_local)

"""Verifies ID tokens of OpenID Connect (Core 1.0, section 3.1.3.7) and assertions of Google's Identity-Aware Proxy.

Both are JSON Web Tokens (RFC 7519), signed by an issuer whose public keys are fetched over HTTPS.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt
from jwt.exceptions import (
    DecodeError,
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)
from msgspec import Struct

from app.access.discovery import Fetch
from app.access.errors import IdTokenRefused
from app.access.signing_keys import SigningKeys

OIDC_ALGORITHMS: Final = ("RS256", "ES256")
IAP_ISSUER: Final = "https://cloud.google.com/iap"
IAP_KEYS_URL: Final = "https://www.gstatic.com/iap/verify/public_key-jwk"

_LEEWAY_SECS: Final = 60
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub"]
_MAX_LENGTH: Final = 16 * 1024
"""Of a token: headers may be longer, but verifying one must stay cheap."""
_MAX_SUBJECT: Final = 255  # OpenID Connect Core, section 2
# Identities of other providers have the name of the provider before the address; they are not that person.
_EMAIL: Final = re.compile(r"[^\s@:/]+@[^\s@:/]+")
_REMOVED_SIGNATURE: Final = "SIGNATURE_REMOVED_BY_GOOGLE"

_SENTENCES: Final[tuple[tuple[type[PyJWTError], str], ...]] = (
    (ExpiredSignatureError, "The ID token has expired."),
    (ImmatureSignatureError, "The ID token is not valid yet."),
    (InvalidAudienceError, "The ID token is for another audience than this service."),
    (InvalidIssuerError, "The ID token is of another issuer."),
    (InvalidSignatureError, "The signature of the ID token is wrong."),
)


class Identity(Struct, frozen=True):
    """Whom an ID token is about, as far as its issuer vouches for it."""

    subject: str
    email: str = ""
    """In lower case; empty unless the issuer has verified it."""
    groups: frozenset[str] = frozenset()
    expires_at: float = 0.0
    """Seconds since 1970."""

    @property
    def name(self) -> str:
        """How the log of access names them. A subject is marked, so that it cannot pass for the name of a token."""
        return self.email or f"sub:{self.subject}"


class Issuer(Struct, frozen=True):
    """An issuer whose ID tokens count for the given audiences."""

    url: str
    audiences: tuple[str, ...]
    keys: SigningKeys
    algorithms: tuple[str, ...] = OIDC_ALGORITHMS
    vouches_for_email: bool = False
    """Whether every e-mail address is verified, without the claim `email_verified`."""
    groups_claim: str = "groups"

    def verify(self, token: str) -> Identity:
        """Whom the token is about.

        Raises:
            IdTokenRefused: it proves nothing.
            IssuerUnavailable: that cannot be told now.
        """
        return self._identity(self._claims(token))

    def verify_answer(self, token: str, nonce: str) -> Identity:
        """Whom the token is about that answers a sign-in with this nonce: it must be for that sign-in alone.

        Raises:
            IdTokenRefused: it proves nothing.
            IssuerUnavailable: that cannot be told now.
        """
        claims = self._claims(token)
        given = claims.get("nonce")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise IdTokenRefused("The ID token answers another sign-in than this one.")
        audience = claims["aud"]
        only = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
        if claims.get("azp", only) not in self.audiences:  # Core 3.1.3.7, points 3 to 5
            raise IdTokenRefused("The ID token was made for another client than this service.")
        return self._identity(claims)

    def _claims(self, token: str) -> Mapping[str, Any]:
        if token.endswith("." + _REMOVED_SIGNATURE):
            raise IdTokenRefused(
                "Cloud Run has removed the signature of this ID token, so it proves nothing. Send the token for"
                " Cloud Run as X-Serverless-Authorization, and the one for this service as Authorization."
            )
        algorithm, key_id = self._header(token)
        key = self.keys.get(key_id)
        if key is None:
            raise IdTokenRefused("The issuer has no key with the id that the ID token names.")
        if key.algorithm_name != algorithm:  # as when the public key is used as the secret of an HMAC
            raise IdTokenRefused(f"The key of the ID token is not for {algorithm}.")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.audiences,
                issuer=self.url,
                leeway=_LEEWAY_SECS,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except PyJWTError as error:
            raise IdTokenRefused(_sentence(error)) from error
        return claims

    def _header(self, token: str) -> tuple[str, str]:
        """The algorithm and the id of the key, which are not verified yet."""
        if len(token) > _MAX_LENGTH:
            raise IdTokenRefused(f"An ID token may have at most {_MAX_LENGTH:,} characters.")
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise IdTokenRefused("This is no ID token.") from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in self.algorithms:
            raise IdTokenRefused(f"ID tokens must be signed with {' or '.join(self.algorithms)}.")
        if not isinstance(key_id, str) or not key_id:
            raise IdTokenRefused("The ID token does not name its key (kid).")
        return algorithm, key_id

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, email, groups = claims["sub"], claims.get("email"), claims.get(self.groups_claim)
        if not 0 < len(subject) <= _MAX_SUBJECT or not subject.isprintable():  # it is written to logs
            raise IdTokenRefused("The subject of the ID token is empty, too long, or not printable.")
        is_verified = self.vouches_for_email or claims.get("email_verified") is True
        is_email = isinstance(email, str) and email.isprintable() and _EMAIL.fullmatch(email) is not None
        return Identity(
            subject=subject,
            email=str(email).lower() if is_email and is_verified else "",
            groups=frozenset(group for group in groups if isinstance(group, str))
            if isinstance(groups, list)
            else frozenset(),
            expires_at=float(claims["exp"]),
        )


def identity_aware_proxy(audience: str, fetch: Fetch, clock: Callable[[], float]) -> Issuer:
    """Google's Identity-Aware Proxy, which signs the header `x-goog-iap-jwt-assertion` of requests that it lets pass.

    Source: cloud.google.com/iap/docs/signed-headers-howto.
    """
    keys = SigningKeys(lambda: fetch(IAP_KEYS_URL), clock)
    return Issuer(IAP_ISSUER, (audience,), keys, algorithms=("ES256",), vouches_for_email=True)


def _sentence(error: PyJWTError) -> str:
    for kind, sentence in _SENTENCES:
        if isinstance(error, kind):
            return sentence
    if isinstance(error, MissingRequiredClaimError):
        return f"The ID token has no claim {error.claim}."
    return "This is no ID token." if isinstance(error, DecodeError) else "The ID token is not valid."

"""An issuer of ID tokens: keys, tokens signed with them, and the documents that verify them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "log-analytics"
EMAIL = "alice@example.org"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Issuer:
    """Signs with the newest of its keys; `rotate` makes another one, `withdraw` forgets the public part of one."""

    def __init__(self, url: str, algorithm: str = "RS256") -> None:
        self.url = url
        self.algorithm = algorithm
        self._private: dict[str, PrivateKey] = {}
        self._published: dict[str, dict[str, Any]] = {}
        self.rotate()

    def rotate(self) -> str:
        """A new key, which later tokens are signed with; returns its id."""
        key_id = f"key-{len(self._private) + 1}"
        key: PrivateKey
        if self.algorithm == "RS256":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            published = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            published = json.loads(ECAlgorithm.to_jwk(key.public_key()))
        self._private[key_id] = key
        self._published[key_id] = {**published, "kid": key_id, "use": "sig", "alg": self.algorithm}
        return key_id

    def withdraw(self, key_id: str) -> None:
        """Publish a key no longer."""
        del self._published[key_id]

    @property
    def keys(self) -> dict[str, Any]:
        """The JWK set."""
        return {"keys": list(self._published.values())}

    @property
    def public_pem(self) -> bytes:
        """The public part of the newest key."""
        return self._newest[1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def document(self, url: str) -> Mapping[str, Any]:
        """What is at a URL of this issuer."""
        if url == f"{self.url}/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        assert url == f"{self.url}/keys"
        return self.keys

    def claims(self, **changes: object) -> dict[str, Any]:
        """Those of a token that counts; with `changes`, where None leaves out a claim."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "4711",
            "iat": now,
            "exp": now + 600,
            "email": EMAIL,
            "email_verified": True,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, **changes: object) -> str:
        """A token, signed with the newest key."""
        return self.token_naming(self._newest[0], **changes)

    def token_naming(self, key_id: str, **changes: object) -> str:
        """The same, but naming a key that may be another one."""
        return jwt.encode(self.claims(**changes), self._newest[1], self.algorithm, headers={"kid": key_id})

    @property
    def _newest(self) -> tuple[str, PrivateKey]:
        return list(self._private.items())[-1]

"""Values in a text that only this service can have written, such as a cookie. Anybody who has it can read them."""

from hashlib import sha256
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeSerializer

_SIGNER: Final = {"digest_method": sha256, "key_derivation": "hmac"}


class SignedValues:
    """Writes and reads such texts. What was written for one `purpose` is nothing for another."""

    def __init__(self, key: str, purpose: str) -> None:
        self._serializer = URLSafeSerializer(key, salt=purpose, signer_kwargs=dict(_SIGNER))

    def write(self, *values: Any) -> str:
        """The text; the values are those of JSON."""
        return str(self._serializer.dumps(values))

    def read(self, text: str) -> list[Any]:
        """The values; none if the text was not written for this purpose with this key."""
        try:
            values = self._serializer.loads(text)
        except (BadSignature, ValueError, TypeError):
            return []
        return values if isinstance(values, list) else []

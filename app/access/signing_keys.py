"""The public keys of an issuer of ID tokens: cached, and fetched again when a token names another one."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from app.access.errors import IssuerUnavailable

_REFETCH_SECS: Final = 60.0
"""Between two fetches: a sender of made-up key ids must not make the service flood the issuer."""
_RETRY_SECS: Final = 5.0
"""After a failed fetch."""
_FRESH_SECS: Final = 3600.0
"""After it, keys are fetched again: one that the issuer has withdrawn does not count for longer."""
_KEEP_SECS: Final = 24 * 3600.0
"""How long keys count while the issuer cannot be reached."""


class SigningKeys:
    """The keys of one issuer, shared by threads.

    `fetch` returns a JWK set (RFC 7517, section 5) and raises `IssuerUnavailable`; `clock` returns seconds that only
    grow.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure: IssuerUnavailable | None = None
        self._fetching = threading.Lock()

    def get(self, key_id: str) -> PyJWK | None:
        """The key with this id; None if the issuer has none.

        Raises:
            IssuerUnavailable: the keys, or newer ones, cannot be had now.
        """
        now = self._clock()
        key = self._keys.get(key_id)
        if key is not None and now - self._fetched_at < _FRESH_SECS:
            return key
        if self._is_due(now):
            self._refetch(now, may_wait=not self._keys)
            key = self._keys.get(key_id)
        if key is not None and now - self._fetched_at < _KEEP_SECS:
            return key
        if self._failure is not None:  # the issuer may have the key
            raise self._failure
        return None

    def _is_due(self, now: float) -> bool:
        return now - self._tried_at >= (_REFETCH_SECS if self._failure is None else _RETRY_SECS)

    def _refetch(self, now: float, *, may_wait: bool) -> None:
        """Fetch the keys, unless another thread does: then wait for it, or go on with the old ones."""
        if not self._fetching.acquire(blocking=may_wait):
            return
        try:
            if not self._is_due(now):  # another thread was first
                return
            try:
                self._keys = _keys_in(self._fetch())
            except IssuerUnavailable as error:
                self._failure = error
            else:
                self._failure = None
                self._fetched_at = now
            self._tried_at = now
        finally:
            self._fetching.release()


def _keys_in(document: Mapping[str, Any]) -> dict[str, PyJWK]:
    try:
        keys = PyJWKSet.from_dict(dict(document)).keys
    except (PyJWTError, AttributeError, TypeError, ValueError) as error:
        raise IssuerUnavailable("The issuer of ID tokens returned no usable keys.") from error
    return {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}

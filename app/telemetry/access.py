"""Reports whether the file of tokens can be used."""

import logging

from app.access.tokens import Tokens
from app.health import Health
from app.metrics import Metrics

_log = logging.getLogger(__name__)

_PART = "tokens"


class TokenTelemetry:
    """See `access.token_store.TokenEvents`. `source` names the file."""

    def __init__(self, source: str, metrics: Metrics, health: Health) -> None:
        self._source = source
        self._broken = metrics.token_file_broken
        self._health = health

    def replaced(self, tokens: Tokens) -> None:
        """The tokens in force, from now on."""
        self._broken.set(0)
        self._health.warn(_PART, None)
        names = ", ".join(token.name for token in tokens.tokens)
        _log.info("Tokens of %s are in force: %s", self._source, names or "none")

    def broken(self, reason: str) -> None:
        """The file cannot be used, logged once for each reason."""
        self._broken.set(1)
        if self._health.warn(_PART, f"{self._source} cannot be used; the tokens from before are in force: {reason}"):
            _log.error("%s cannot be used; the tokens from before are in force: %s", self._source, reason)

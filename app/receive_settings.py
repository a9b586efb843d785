"""The settings of receivers."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field, SecretStr, field_validator

from app.settings_group import SettingsGroup

_MIN_KEY: Final = 32


class ReceiveSettings(SettingsGroup):
    """Logs that come over HTTP. Environment: RECEIVE_*."""

    key: SecretStr = Field(
        SecretStr(""),
        description="Secret of at least 32 characters by which the service knows records of its own receivers, the same"
        " for all instances. While it is changed, several, comma-separated: the first signs, all count. Unset: one of"
        " the process's own.",
    )
    timeout_secs: float = Field(
        10, ge=0.1, le=120, description="How long a request waits for Kafka's acknowledgement before it gets a 503."
    )
    max_body_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024,
        le=16 * 1024 * 1024,
        description="Bytes of the body of a request, after decompression.",
    )
    max_concurrent: int = Field(
        16, ge=1, le=256, description="Requests that are read or wait for Kafka at a time; as many more wait for them."
    )
    max_share_percent: float = Field(
        75, gt=0, le=100, description="Share of them that one client may have; at least one."
    )

    @property
    def keys(self) -> Sequence[bytes]:
        """The keys; none if it is unset."""
        return [key.encode() for key in self.key.get_secret_value().replace(",", " ").split()]

    @field_validator("key")
    @classmethod
    def _are_long(cls, keys: SecretStr) -> SecretStr:
        if any(len(key) < _MIN_KEY for key in keys.get_secret_value().replace(",", " ").split()):
            raise ValueError(f"must have at least {_MIN_KEY} characters each")
        return keys

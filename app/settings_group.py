"""What every group of settings is."""

from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class SettingsGroup(BaseModel):
    """Settings whose environment names share a prefix: immutable, and checked when they are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if conflicts := list(self._conflicts()):
            raise ValueError("\n".join(conflicts))
        return self

    def _conflicts(self) -> Iterator[str]:
        """A sentence for each rule between settings that is broken."""
        return iter(())

"""The settings of retention per service."""

from pydantic import Field, field_validator

from app.domain.retention_rules import RetentionRules, parse_retention_rules
from app.settings_group import SettingsGroup


class RetentionSettings(SettingsGroup):
    """Which services' logs are removed before the table's retention ends. Environment: RETENTION_*."""

    days_by_service: str = Field(
        "",
        description="Services whose logs are kept for fewer days than others, comma-separated, with the days:"
        " `debug-*:3,payments:14`. Of several that match the first counts; what none names is kept for"
        " CLICKHOUSE_RETENTION_DAYS: [maintenance.md](maintenance.md#retention-per-service).",
    )
    interval_secs: float = Field(
        3600,
        ge=0,
        le=86_400,
        description="Time between the passes that remove what has expired by RETENTION_DAYS_BY_SERVICE; 0 for none,"
        " where only the command `retention --apply` removes it.",
    )

    @field_validator("days_by_service")
    @classmethod
    def _are_rules(cls, text: str) -> str:
        parse_retention_rules(text)
        return text

    @property
    def rules(self) -> RetentionRules:
        """The same, as rules."""
        return RetentionRules(parse_retention_rules(self.days_by_service))

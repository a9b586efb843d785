"""The reader of records, from the settings."""

from importlib import metadata

from app.domain.masking.parse import reading_of_masking
from app.domain.name_patterns import parse_patterns
from app.domain.reader import Reader
from app.domain.zone_rules import parse_zone_rules
from app.settings import Settings


def reader_of(settings: Settings) -> Reader:
    """The reader with all settings that change which rows a record becomes."""
    service = settings.service
    changing = {
        "CLICKHOUSE_RETENTION_DAYS": str(settings.clickhouse.retention_days),
        "DEFAULT_TIMEZONE": service.default_timezone,
        "TIMEZONES": ",".join(map(str, parse_zone_rules(service.timezones))),
        "DAY_FIRST": "" if service.day_first is None else str(service.day_first).lower(),
        "FUTURE_TOLERANCE_SECS": f"{service.future_tolerance_secs:g}",
        "LEVELS_FROM_STATUS": str(service.levels_from_status).lower(),
        "KEEP_HEADERS": ",".join(parse_patterns(service.keep_headers)),
        "KEEP_KEY": str(service.keep_key).lower(),
        "MAX_ATTRIBUTES": str(service.max_attributes),
        "MAX_ATTRIBUTE_NAME_CHARS": str(service.max_attribute_name_chars),
        "MAX_ATTRIBUTE_DEPTH": str(service.max_attribute_depth),
        # Only if anything is masked, so that the reader of all others keeps its name.
        **reading_of_masking(service.mask, service.mask_patterns.get_secret_value()),
    }
    return Reader(changing, zone_rules=_zone_rules())


def _zone_rules() -> str:
    """The version of the time zone rules; empty if they are not installed."""
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return ""

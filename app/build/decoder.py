"""The decoder by the settings: the same for the pipeline and for commands that try it on stored rows."""

from collections.abc import Callable
from functools import partial

from app.build.native import chosen, installed
from app.build.reader import reader_of
from app.domain.attribute_limits import AttributeLimits
from app.domain.event_time import EventTimeBounds
from app.domain.masking.parse import masking_of
from app.domain.name_patterns import parse_patterns
from app.domain.receipt import ReceiptReader
from app.domain.records import RecordChunk
from app.domain.times import zone_named
from app.domain.zone_rules import ZoneRules, parse_zone_rules
from app.formats.kept_headers import KeptParts
from app.formats.reading import ReadingRules
from app.pipeline.decode import read_rows
from app.pipeline.decoded import Decoded
from app.pipeline.guarded_decode import decoder_of
from app.pipeline.native_reader import NativeReader
from app.settings import Settings


def build_decoder(settings: Settings) -> Callable[[RecordChunk], Decoded]:
    """What turns chunks of records into rows.

    Raises:
        BadSettings: it is to be compiled, and is not installed.
    """
    bounds = EventTimeBounds.of_retention(settings.clickhouse.retention_days)
    rules, name = reading_rules(settings), reader_of(settings).name
    new_reader = chosen(settings, installed())
    if new_reader is None:
        return decoder_of(bounds, rules, name)
    read_others = partial(read_rows, bounds=bounds, rules=rules, reader=name)
    return decoder_of(bounds, rules, name, NativeReader(new_reader, bounds, rules, name, read_others))


def reading_rules(all_settings: Settings) -> ReadingRules:
    """By what events are read."""
    settings = all_settings.service
    names = parse_patterns(settings.keep_headers)
    return ReadingRules(
        zone=None if settings.default_timezone == "UTC" else zone_named(settings.default_timezone),
        day_first=settings.day_first,
        future_ms=int(settings.future_tolerance_secs * 1000),
        levels_from_status=settings.levels_from_status,
        zones=ZoneRules(rules) if (rules := parse_zone_rules(settings.timezones)) else None,
        kept=KeptParts(names, has_key=settings.keep_key) if names or settings.keep_key else None,
        masking=masking_of(settings.mask, settings.mask_patterns.get_secret_value()),
        limits=AttributeLimits(
            settings.max_attributes, settings.max_attribute_name_chars, settings.max_attribute_depth
        ),
        receipts=ReceiptReader(all_settings.receive.keys),
    )

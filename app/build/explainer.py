"""The explainer by the settings: it reads as the pipeline of these settings does."""

from app.build.decoder import reading_rules
from app.build.reader import reader_of
from app.domain.event_time import EventTimeBounds
from app.explain.explainer import Explainer
from app.settings import Settings


def build_explainer(settings: Settings) -> Explainer:
    """What explains records."""
    bounds = EventTimeBounds.of_retention(settings.clickhouse.retention_days)
    return Explainer(bounds, reading_rules(settings), reader_of(settings))

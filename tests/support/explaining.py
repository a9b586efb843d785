"""The explanation of stored logs, wired for tests."""

from __future__ import annotations

from typing import Final

from app.api.explain_api import ExplainApi
from app.domain.event_time import EventTimeBounds
from app.domain.reader import Reader
from app.explain.explainer import Explainer
from app.explain.stored import StoredExplainer
from app.formats.reading import DEFAULT_RULES
from app.query.service import QueryService
from app.settings import QuerySettings
from tests.fakes import MemoryRecords

READER: Final = Reader({"DEFAULT_TIMEZONE": "UTC"}, zone_rules="", version=0)
"""One of no version, so that its name stays the same."""


def explain_api(queries: QueryService, records: MemoryRecords | None = None) -> ExplainApi:
    """The endpoint with the default settings over these records, none by default."""
    explainer = Explainer(EventTimeBounds.of_retention(30), DEFAULT_RULES, READER)
    stored = StoredExplainer(explainer, records or MemoryRecords())
    return ExplainApi(queries, stored, QuerySettings(), lambda: 0.0)

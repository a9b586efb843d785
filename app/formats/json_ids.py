"""The ids of trace and span in a JSON event, from the forms that tracers write. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.trace_ids import context_of, decimal_span_id, decimal_trace_id
from app.formats.json_names import DATADOG_SPAN, DATADOG_TRACE, TRACE_CONTEXT

Values = Sequence[tuple[int, Any]]


def ids_of(found: Mapping[str, Values]) -> tuple[dict[str, Any], set[int]]:
    """The fields of the ids, and the values that need not be kept besides; values in order of their precedence.

    A form that says more than the ids (flags, a project) or spells them otherwise (decimal) stays an attribute.
    """
    fields: dict[str, Any] = {}
    taken: set[int] = set()
    for field in ("trace_id", "span_id"):
        for index, value in found.get(field, ())[:1]:
            fields[field] = value
            if not (isinstance(value, str) and "/" in value):
                taken.add(index)
    for _, value in found.get(TRACE_CONTEXT, ()):
        _fill(fields, *context_of(str(value)))
    for _, value in found.get(DATADOG_TRACE, ()):
        _fill(fields, decimal_trace_id(str(value)), "")
    for _, value in found.get(DATADOG_SPAN, ()):
        _fill(fields, "", decimal_span_id(str(value)))
    return fields, taken


def _fill(fields: dict[str, Any], trace_id: str, span_id: str) -> None:
    if trace_id:
        fields.setdefault("trace_id", trace_id)
    if span_id:
        fields.setdefault("span_id", span_id)

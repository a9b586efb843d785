"""The ids of trace and span in a JSON event, from the forms that tracers write. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.trace_ids import context_of, decimal_span_id, decimal_trace_id, span_id_of, trace_id_of
from app.formats.json_names import DATADOG_SPAN, DATADOG_TRACE, SCOPES, TRACE_CONTEXT

Values = Sequence[tuple[int, Any]]


def ids_of(found: Mapping[str, Values]) -> tuple[dict[str, Any], set[int], dict[str, int]]:
    """The ids among values in order of their precedence.

    Returns their fields, the values that need not be kept besides, and for each field the value it is read from. A form
    that says more than the ids (flags, a project) or spells them otherwise (decimal) stays an attribute.
    """
    fields: dict[str, Any] = {}
    taken: set[int] = set()
    sources: dict[str, int] = {}
    for field in ("trace_id", "span_id"):
        for index, value in found.get(field, ())[:1]:
            fields[field], sources[field] = value, index
            if not (isinstance(value, str) and "/" in value):
                taken.add(index)
    for index, value in found.get(TRACE_CONTEXT, ()):
        _fill(fields, sources, index, *context_of(str(value)))
    for index, value in found.get(DATADOG_TRACE, ()):
        _fill(fields, sources, index, decimal_trace_id(str(value)), "")
    for index, value in found.get(DATADOG_SPAN, ()):
        _fill(fields, sources, index, "", decimal_span_id(str(value)))
    for index, value in found.get(SCOPES, ()):
        _fill(fields, sources, index, *_ids_of_scopes(value))
    return fields, taken, sources


def _fill(fields: dict[str, Any], sources: dict[str, int], index: int, trace_id: str, span_id: str) -> None:
    for field, value in (("trace_id", trace_id), ("span_id", span_id)):
        if value and field not in fields:
            fields[field], sources[field] = value, index


def _ids_of_scopes(scopes: object) -> tuple[str, str]:
    """The ids in the first of .NET's scopes that has them: {"TraceId": ..., "SpanId": ...}."""
    for scope in scopes if isinstance(scopes, list) else ():
        ids = (scope.get("TraceId"), scope.get("SpanId")) if isinstance(scope, dict) else ()
        if ids and isinstance(ids[0], str) and isinstance(ids[1], str):
            return trace_id_of(ids[0]), span_id_of(ids[1])
    return "", ""

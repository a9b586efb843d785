"""The canonical event: every format and protocol turns its bytes into it, and rows are built from it."""

from typing import Any

from msgspec import Struct, field

from app.domain.notes import Notes


class Event(Struct):
    """One log event. Fields that the sender leaves out stay empty.

    Values are as the sender wrote them: the row builder converts them, and flags those that do not fit. The shape
    matters, not the object: common JSON goes from bytes to columns without one.
    """

    fields: dict[str, Any]
    """By the names of the registry's columns: timestamp, level, message, service, trace_id, span_id, host, ..."""
    attributes: list[tuple[str, Any]] = field(default_factory=list)
    """All other values of the event. A key may occur twice."""
    resource: list[tuple[str, Any]] = field(default_factory=list)
    """Where the event comes from, such as k8s.pod.name."""
    severity_number: int = 0
    """OpenTelemetry's SeverityNumber, 1 to 24, if the sender gives it; with 0 the level decides."""
    observed_timestamp: object = None
    """When a collector observed the event."""
    trace_flags: int | None = None
    scope: list[tuple[str, Any]] = field(default_factory=list)
    """The instrumentation scope that emitted the event: name, version, its attributes."""
    event_name: str = ""
    problems: list[str] = field(default_factory=list)
    """What was not understood; each entry begins with a word of a bounded set and a colon."""
    raw: bytes = b""
    """The exact bytes, if the fields do not hold them."""
    time_has_zone: bool = False
    """Whether the zone of a time that a format has read was written. Of a time as sent, its reader says so."""
    notes: Notes | None = None
    """How it was read, if its reading explains."""

    def without_column(self) -> list[tuple[str, Any]]:
        """The values that have no column in the table, as attributes by OpenTelemetry's names."""
        if self.observed_timestamp is None and self.trace_flags is None and not self.event_name and not self.scope:
            return []
        named = {
            "observed_timestamp": self.observed_timestamp,
            "trace_flags": self.trace_flags,
            "event.name": self.event_name or None,
        }
        return [
            *((name, value) for name, value in named.items() if value is not None),
            *((f"otel.scope.{name}", value) for name, value in self.scope),
        ]

"""The canonical event: what every format and protocol turns its bytes into, and what rows are built from."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """One log event. What it does not say stays empty.

    Values are as the sender wrote them: the row builder converts them, and flags what does not fit. It is the
    shape that counts, not the object: the way of common JSON from bytes to columns makes none.
    """

    fields: dict[str, Any]
    """By the names of the registry's columns: timestamp, level, message, service, trace_id, span_id, host, ..."""
    attributes: list[tuple[str, Any]] = field(default_factory=list)
    """Everything else that it says. A key may be there twice."""
    resource: list[tuple[str, Any]] = field(default_factory=list)
    """What says where it ran, such as k8s.pod.name."""
    severity_number: int = 0
    """OpenTelemetry's, 1 to 24, where the sender gives it; 0 leaves it to the level."""
    observed_timestamp: object = None
    """When a collector saw it."""
    trace_flags: int | None = None
    scope: list[tuple[str, Any]] = field(default_factory=list)
    """The instrumentation that made it: name, version, its attributes."""
    event_name: str = ""
    problems: list[str] = field(default_factory=list)
    """What was not understood, each beginning with a word of a bounded set and a colon."""
    raw: bytes = b""
    """The exact bytes, where the fields do not hold them."""

    def without_column(self) -> list[tuple[str, Any]]:
        """What the shape names and the table has no column for, as attributes by OpenTelemetry's names."""
        named = {
            "observed_timestamp": self.observed_timestamp,
            "trace_flags": self.trace_flags,
            "event.name": self.event_name or None,
        }
        return [
            *((name, value) for name, value in named.items() if value is not None),
            *((f"otel.scope.{name}", value) for name, value in self.scope),
        ]

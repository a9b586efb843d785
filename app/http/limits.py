"""How much time and memory clients may take before the application sees their requests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Tests use smaller ones."""

    head_secs: float = 10.0
    """From the opening of a connection, or the first byte of a later request, to the end of its headers."""
    head_bytes: int = 64 * 1024
    requests_ahead: int = 16
    """Requests on one connection that wait for the response to an earlier one (pipelining); with more it is closed."""
    body_secs: float = 60.0
    body_bytes: int = 16 * 1024 * 1024
    """Of one request as it is sent. An endpoint may allow less."""
    buffered_bytes: int = 64 * 1024 * 1024
    """Of all requests whose bodies are being received."""
    drain_secs: int = 2
    """For requests that have not ended when the server stops."""

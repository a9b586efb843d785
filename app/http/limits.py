"""How much time and memory clients may take before the application sees their requests."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Tests use smaller ones."""

    head_secs: float = 10.0
    """From the opening of a connection, or the first byte of a later request, to the end of its headers."""
    head_bytes: int = 64 * 1024
    requests_ahead: int = 16
    """Requests on one connection that wait for the response to an earlier one (pipelining); with more it is closed."""
    body_secs: float = 60.0
    body_bytes: int = 16 * 1024 * 1024
    """Of one request as it is sent. An endpoint may allow less."""
    buffered_bytes: int = 48 * 1024 * 1024
    """Of all requests, from their first byte until the application has responded."""
    buffered_bytes_of_one: int = 36 * 1024 * 1024
    """The same of one address, so that others are received while it sends slowly."""
    linger_secs: float = 5.0
    """How long the rest of a refused body is read and forgotten: who still sends when the connection closes does not
    get the response."""
    retry_secs: int = 5
    """When to retry what found no memory."""
    drain_secs: int = 2
    """For requests that have not ended when the server stops."""

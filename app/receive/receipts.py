"""What the receipt of a request says."""

from collections.abc import Mapping
from datetime import UTC, datetime


def receipt_of(
    receiver: str, *, address: str, request_id: str, token: str = "", at: datetime | None = None
) -> Mapping[str, str]:
    """The receipt of a request: its receiver, the client's address, the id of the attempt, and when it arrived.

    `token` is the name of the token that the client sent, empty if there is none. The keys are those of the attributes
    behind `log.receiver.`.
    """
    time = (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"name": receiver, "time": time, "client.address": address, "request.id": request_id, "token": token}
    return {name: text for name, text in said.items() if text}

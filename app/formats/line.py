"""One event in any form: a JSON object, or any other text."""

from app.domain.event import Event
from app.formats.json_object import read_json_object
from app.formats.text_line import read_text


def read_line(value: bytes, record_time_ms: int) -> Event:
    """The event; a value that begins like JSON but is invalid is read as text, and flagged. Never fails."""
    try:
        event = read_json_object(value)
    except ValueError as error:
        event = read_text(value, record_time_ms)
        event.problems.append(f"json: {error}")
    return read_text(value, record_time_ms) if event is None else event

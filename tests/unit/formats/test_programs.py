"""The lines of many programs, read five minutes after they were written."""

import pytest

from app.domain.event import Event
from app.domain.times.moments import nanoseconds
from app.formats.reading import Reading
from tests.support.events import only_event
from tests.support.text_programs import LINES, Line

TEN_FIFTEEN_ONE = 1_795_947_301
READING = Reading.of_record((TEN_FIFTEEN_ONE + 299) * 1000)


def said(event: Event) -> tuple[object, ...]:
    """Time, severity, service, host and process of an event."""
    time_ns = event.fields.get("timestamp")
    named = dict([*event.attributes, *event.resource])
    fields = tuple(event.fields.get(name) or "" for name in ("level", "service", "host"))
    return (time_ns, *fields, named.get("process.pid", ""))


@pytest.mark.parametrize("line", LINES, ids=[line.program for line in LINES])
def test_the_header_of_a_program_is_read(line: Line) -> None:
    time_ns = None if line.fraction is None else TEN_FIFTEEN_ONE * 10**9 + nanoseconds(line.fraction)

    assert said(only_event(line.text.encode(), READING)) == (time_ns, line.severity, line.service, line.host, line.pid)

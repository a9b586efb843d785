"""A value of an event as a time: text, number, object or list."""

from app.domain.times.numbers import is_calendar, of_number
from app.domain.times.objects import of_list, of_object
from app.domain.times.reading import NO_TIME, NOTHING, Nanoseconds, ReadTime, TimeReading
from app.domain.times.texts import of_text


def read_time(value: object, reading: TimeReading) -> ReadTime:
    """The time that a JSON value says. Never raises.

    In goes any value; text may be in any form that the grammar knows, or a number since the epoch in any unit.
    Out comes the time in Unix nanoseconds, or None with the problem; None without a problem if nothing is written.
    """
    if isinstance(value, str):
        return of_text(value, reading)
    if isinstance(value, bool):
        return NO_TIME
    if isinstance(value, Nanoseconds):
        return ReadTime(int(value), True, "")
    if isinstance(value, (int, float)):
        return of_text(str(value), reading) if isinstance(value, int) and is_calendar(value) else of_number(value)
    if isinstance(value, dict):
        return of_object(value, reading)
    if isinstance(value, list):
        return of_list(value, reading)
    return NOTHING if value is None else NO_TIME

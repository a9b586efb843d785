"""The one reader of times: in the header of a line of text, and in a value of an event. See docs/times.md. Pure."""

from app.domain.times.find import find_time as find_time
from app.domain.times.read import read_time as read_time
from app.domain.times.reading import FoundTime as FoundTime
from app.domain.times.reading import ReadTime as ReadTime
from app.domain.times.reading import TimeReading as TimeReading
from app.domain.times.zones import zone_named as zone_named

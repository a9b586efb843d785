"""The forms of lines of text, and the places where a level stands in them, as notes name them."""

from typing import Final

TEXT: Final = "text"
LINE: Final = "line with a time"
HEADER_ONLY: Final = "line with a level"
SYSLOG: Final = "syslog"
SYSLOG_5424: Final = "syslog (RFC 5424)"
ACCESS: Final = "access log"
SYSLOG_ACCESS: Final = "syslog > access log"
LOGFMT: Final = "logfmt"

NONE: Final = ""
BEFORE: Final = "what stands in front of the time"
HEADER: Final = "the header of the line"
TAG: Final = "the tag of syslog"
PAIR: Final = "a pair"
STATUS: Final = "the HTTP status"
CODE: Final = "the code of the message"
MARKED: Final = "a marked word in the message"
SECOND_LINE: Final = "the second line"
PRI: Final = "the PRI of syslog"

SOURCE_OF_FORM: Final = {
    SYSLOG: "the header of syslog",
    SYSLOG_5424: "the header of syslog",
    SYSLOG_ACCESS: "the header of syslog",
    LOGFMT: "a pair",
}
"""What the fields of a line are read from besides its time and level."""

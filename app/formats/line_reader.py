"""One line of text whose time is known: tries the forms that a line may have, the most certain first. Pure."""

import re
from typing import Final

from app.domain.times import FoundTime
from app.formats import places
from app.formats.access_logs import level_of_status, read_access
from app.formats.before_time import NOTHING, read_before
from app.formats.field_names import Fields
from app.formats.header import Header, trailing_logger
from app.formats.logfmt import OPENING, read_pairs
from app.formats.marked_levels import level_in_message, level_of_first_word
from app.formats.own_form import has_form
from app.formats.postgres import end_of_session, read_csvlog
from app.formats.quick_header import is_prose, may_hold_letter, may_hold_level, quick_header, quick_kafka, quick_origin
from app.formats.reading import Reading
from app.formats.syslog_header import is_of_syslog, level_of_mnemonic, level_of_topics, read_origin

_LIKE_A_TIME: Final = re.compile(
    r"[\[(<]?(?:\d{1,4}[-/.]\d\d?[-/.]\d{1,4}[T ])?\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?|(?=[AP]M))(?:[AP]M)?(?![\w:])",
    re.ASCII,
)
_PRI: Final = re.compile(r"<(?:\d|[1-9]\d|1[0-8]\d|19[01])>", re.ASCII)
_KEPT_WITHOUT_LEVEL: Final = ("pid", "tid", "client", "port", "file", "line")


class LineReader:
    """Reads one line whose time was looked for already."""

    __slots__ = (
        *("content", "data", "fields", "form", "found", "level", "level_end", "level_from", "level_start", "line"),
        "reading",
    )

    def __init__(self, line: str, found: FoundTime | None, reading: Reading) -> None:
        self.line = line
        self.found = found
        self.reading = reading
        self.fields: Fields = {}
        self.data: list[tuple[str, str]] = []
        self.level = ""
        self.level_from = places.NONE  # these four are for notes on how the line was read
        self.level_start = self.level_end = 0
        self.form = places.TEXT
        self.content = 0

    def read(self) -> None:
        """Find the fields and the level; the most certain form of a line first."""
        line, found = self.line, self.found
        if found is not None and found.start == 0 and self._opens_as_usual(found.end):
            return
        if self._is_access(0):
            return
        if (found is None or found.start) and OPENING.match(line):
            self.read_pairs()
        elif found is not None:
            self._with_time(found)
        else:
            self._without_time()

    def _opens_as_usual(self, end: int) -> bool:
        """Whether a usual header follows upon the time that opens the line and ends at `end`."""
        line = self.line
        if not line[0].isalpha():
            if not self._is_quick(end):
                return False
            self.form = places.LINE
            return True
        tag = quick_origin(line, end) if is_of_syslog(line, 0, end) else None
        if tag is None:
            return False
        self.fields.update(tag[0])
        self.form = places.SYSLOG
        self._content(tag[1], "")
        return True

    def read_pairs(self) -> None:
        """Read a line that opens with a pair of logfmt."""
        self._take_pairs(0)
        self.form = places.LOGFMT
        if not self.level:
            self.level = level_in_message(self.line, 0)
            self.level_from = places.MARKED

    def read_access_behind(self, start: int) -> None:
        """Read what follows a header of syslog, whose level counts before the status, if it is of an access log."""
        level = self.level
        if self._is_access(start) and level:
            self.level, self.level_from = level, places.PRI

    def _is_access(self, start: int) -> bool:
        access = read_access(self.line, start)
        if access is None:
            return False
        access.pop("bucket", None)
        self.fields |= access
        self.form = places.ACCESS if self.form == places.TEXT else places.SYSLOG_ACCESS
        if self.reading.levels_from_status and (status := access["status"]):
            self.level = level_of_status(status)
            self.level_from = places.STATUS
        return True

    def _take_pairs(self, start: int) -> None:
        pairs = read_pairs(self.line, start)
        if level := pairs.pop("level", None):
            self.level = level
            self.level_from, self.level_start = places.PAIR, start
        self.fields |= pairs

    def _with_time(self, found: FoundTime) -> None:
        line, start, end = self.line, found.start, found.end
        before = read_before(line[:start]) if start else NOTHING
        if not before.is_number or line[start : start + 10].isdecimal():  # else it may be one of a sequence
            self.fields.update(before.fields)
        if before.level:
            self.level, self.level_from = before.level, places.BEFORE
            self.level_end = start
        self.form = places.LINE
        if line[start - 1 : start] not in ("[", "(", '"') or not start:
            is_certain = before.has_pri or is_of_syslog(line, start, end)
            if is_certain and (tag := quick_origin(line, end)):
                self.fields.update(tag[0])
                self.form = places.SYSLOG
                self._content(tag[1], before.level)
                return
            if before.has_pri and (pairs := OPENING.match(line, line.find(">") + 1)):
                self.form = places.LOGFMT
                self._take_pairs(pairs.start())
                return
            origin = read_origin(line, end, is_certain)
            if origin is not None:
                self.fields |= origin.fields
                self.form = places.SYSLOG
                if origin.level and not before.level:
                    self.level_from, self.level_start, self.level_end = places.TAG, end, origin.end
                self._content(origin.end, before.level or origin.level)
                return
        if columns := read_csvlog(line, end):
            self.fields["pid"] = columns.pid
            self.level, self.level_from = columns.level, places.HEADER
            self.level_start, self.level_end = columns.level_start, columns.level_end
            return
        end = end_of_session(line, end)
        # First, since "-" may also stand in front of a level, or of prose.
        if before.signs and line[end + 2 : end + 3] == " " and (level := before.signs.get(line[end + 1])):
            self.level, self.level_from = level, places.HEADER
            self.level_start, end = end, end + 2
            self.level_end = end
        elif (start and self._is_quick(end)) or (not self.level and is_prose(line, end)):
            return
        self._header(end, has_time=True)

    def _is_quick(self, end: int) -> bool:
        """Whether the header is one of the usual ones, which are remembered."""
        line = self.line
        if line[0] == "[" and (logger := trailing_logger(line)):
            quick = quick_kafka(line, end, logger) if line[end] == "]" else None
        else:
            quick = quick_header(line, end)
        if quick is None:
            return False
        fields = dict(quick.fields)
        # Behind a level, what has none may go on, but for the file and line that end the header of klog.
        if not quick.level and not (self.level and "line" in fields):
            return False
        if not self.level:
            self.level, self.level_from = quick.level, places.HEADER
            self.level_start, self.level_end = end + quick.level_at[0], end + quick.level_at[1]
        self.fields = {**fields, **self.fields}
        return True

    def _without_time(self) -> None:
        line = self.line
        if line[:1] == "<" and (pri := _PRI.match(line)):
            self.level, self.level_from = read_before(pri[0]).level, places.PRI
            self.form = places.SYSLOG
            self.content = pri.end() if has_form(line, pri.end()) else 0
            return
        if not may_hold_level(line, 0) and not may_hold_letter(line, 0):
            return
        # A time of day without a date, or one of no calendar, opens a header like any other time.
        match = _LIKE_A_TIME.match(line)
        if match is None or not self._is_quick(match.end()):
            self._header(match.end() if match else 0, has_time=match is not None)

    def _content(self, start: int, level: str) -> None:
        """What follows the tag of syslog, whose own level counts before one in the text."""
        line, at = self.line, start
        while line[at : at + 1] == " ":
            at += 1
        if self._is_access(at):
            if level:
                self.level, self.level_from = level, places.BEFORE
            return
        if has_form(line, at):
            self.content = at
        self.level = level
        if not level:
            code = level_of_mnemonic(line, start) or level_of_topics(line, start)
            self.level, self.level_from = code, places.CODE
        if "=" in line and OPENING.match(line, at):
            self._take_pairs(at)
        if not self.level and may_hold_level(line, start):
            self._header(start, has_time=False)

    def _header(self, start: int, has_time: bool) -> None:
        """The header behind a time, or at the start of a line or content without one."""
        line = self.line
        is_open = not self.level and (may_hold_level(line, start) or may_hold_letter(line, start))
        header = Header(line, start, has_time, has_names=is_open or self.level != "")
        header.read()
        fields = header.fields
        if header.level:
            if not self.level:
                self.level, self.level_from = header.level, places.HEADER
                self.level_start, self.level_end = header.level_start, header.level_end
        else:
            kept = _KEPT_WITHOUT_LEVEL if has_time else ()
            fields = {name: fields[name] for name in kept if name in fields}
        if has_time and line[:1] == "[" and (logger := trailing_logger(line)):
            fields = {"logger": logger}
        for name, value in fields.items():
            self.fields.setdefault(name, value)
        if is_open and not self.level:
            self._level_elsewhere(start, header.end)

    def _level_elsewhere(self, start: int, end: int) -> None:
        line = self.line
        if level := level_of_topics(line, start) or level_of_mnemonic(line, start):
            self.level, self.level_from = level, places.CODE
        else:
            self.level = (level_of_first_word(line, end) if end > start else "") or level_in_message(line, start)
            self.level_from = places.MARKED
        if not self.level and ("level=" in line or "lvl=" in line or "severity=" in line):
            self._take_pairs(end)

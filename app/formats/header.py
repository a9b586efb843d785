"""The header of a line of text: level, origin and place in the code around its time. See docs/text.md. Pure."""

import re
from typing import Final

from app.formats.behind_level import read_behind_level
from app.formats.bracketed import is_logger, read_bracketed
from app.formats.field_names import Fields
from app.formats.header_words import (
    LETTER_LEVEL,
    are_names,
    is_count,
    is_head_of_table,
    level_of_marked_word,
    level_of_php,
    level_of_websphere,
    level_with_name,
)
from app.formats.level_words import ALONE, IN_CAPITALS, IN_LOWER_CASE, LETTERS, OF_LETTER

_MOST_TOKENS: Final = 8
_TOKEN: Final = re.compile(
    r"(?P<sep>[ \t|,;:*>)\]\"'-]{0,24})(?:"
    r"\[([^\[\]]{0,200}(?:\[[^\[\]]{0,80}\][^\[\]]{0,120})?)\]"  # 2
    r"|\(([^()]{0,200})\)"  # 3
    r"|<([^<>]{0,80})>"  # 4
    r"|\{([^{}]{0,120})\}"  # 5
    r"|([^\s\[\](){}<>|,;:=\"*]{1,120}(?:::[\w$]{1,80}){0,8}))"  # 6
)
_BRACKET, _PAREN, _ANGLE, _BRACE, _WORD = 2, 3, 4, 5, 6
_GO_PLACE: Final = re.compile(r" ([\w./@+-]{1,200}\.[A-Za-z]\w{0,4}):(\d{1,7})[:\]]? ?", re.ASCII)
_ANDROID_STUDIO: Final = re.compile(r"(\d{1,7})-(\d{1,7})/[\w.]", re.ASCII)
_PAIRS: Final = re.compile(  # of PostgreSQL's log_line_prefix, in front of its level
    r"(?:[a-z]{1,16}=[^\s,=]{0,80}(?:,(?=[a-z])|(?= ))){1,8} {1,2}(?=[A-Z]{3,9}:)", re.ASCII
)
_TRAILING: Final = re.compile(r"\((?P<logger>[\w.$]{1,200})\)\s*\Z", re.ASCII)


class Header:
    """Reads the header of a line from left to right; `end` is where the message begins."""

    __slots__ = (
        *("end", "fields", "has_names", "has_time", "level", "level_end", "level_start", "line", "names"),
        *("number_in_brackets", "numbers"),
    )

    def __init__(self, line: str, start: int, has_time: bool, has_names: bool = True) -> None:
        self.line = line
        self.end = start
        self.has_time = has_time
        self.has_names = has_names  # a level may follow, so that words may be names in front of it
        self.fields: Fields = {}
        self.level = ""
        self.level_start = self.level_end = start
        self.names: list[tuple[str, str]] = []  # words that may be names, and what follows each of them
        self.numbers: list[str] = []
        self.number_in_brackets = False

    def read(self) -> None:
        """Read up to the level and what belongs to it, or to the first word that no header has."""
        line, at = self.line, self.end
        for _ in range(_MOST_TOKENS):
            match = _TOKEN.match(line, at)
            if match is None:
                return
            kind = match.lastindex
            if not (self._word(match) if kind == _WORD else self._closed(match, kind or 0)):
                return
            at = max(match.end(), self.end)
            if self.level:
                self.level_start, self.level_end = match.end("sep"), self.end
                self._origin()
                return
            if kind != _WORD or line[at : at + 1] in ":|":
                self.end = at

    def _closed(self, match: re.Match[str], kind: int) -> bool:
        """What stands in brackets of any kind."""
        text = match[kind]
        read = read_bracketed(text)
        if read.level:
            if kind == _PAREN and self.names and not self.has_time:  # an error (FATAL) of prose
                return False
            self.level, self.end = read.level, match.end()
        elif kind == _BRACKET and text in LETTERS and self._may_be_letter():  # [I] of beego, [E]: of OpenNebula
            self.level, self.end = OF_LETTER[text], match.end()
            return True
        for name, value in read.fields if self._may_hold_a_process(text, kind) else ():
            is_thread = name == "pid" and kind == _BRACKET and self.line[match.end()] == "[" and match["sep"] == "]"
            self.fields.setdefault("tid" if is_thread else name, value)
            self.number_in_brackets = name == "pid" and text.isdecimal()
        if kind == _ANGLE and not read.level and not self._may_be_in_angles(text, match.end()):
            return False
        if read.name and kind in (_BRACKET, _PAREN):
            self.fields.setdefault("logger" if is_logger(read.name) else "thread", read.name)
        return True

    def _may_be_letter(self) -> bool:
        """Whether a letter in brackets may be a level: not behind words of prose, as in `seat [D]`."""
        return self.has_time and (not self.names or "file" in self.fields)

    def _may_hold_a_process(self, text: str, kind: int) -> bool:
        """Not where it stands behind words, 192.0.2.7(5151) and bob<1>, or is one of a column, [   1234]."""
        if kind == _BRACKET:
            return text[:1] != " " or text[-1:] == " "
        return kind == _BRACE or not (self.names or self.numbers)

    def _may_be_in_angles(self, text: str, end: int) -> bool:
        """Whether a text in angles is one of a header, <0.7.0> or <launcher> WARN, and not one of HTML."""
        if not text or text.isdecimal() or "." in text or "-" in text:
            return True
        following = _TOKEN.match(self.line, end) if self.line[end] == " " else None
        return following is not None and following[_WORD] in IN_CAPITALS

    def _word(self, match: re.Match[str]) -> bool:
        """A word: a level, or a name or number that may stand before one."""
        word, end = match[_WORD], match.end()
        following = self.line[end : end + 1]
        if level := IN_CAPITALS.get(word):
            if self._is_level(word, end, match["sep"]):
                self.level, self.end = level, end
                return True
            return False
        level = level_of_marked_word(self.line, match, self.has_time and not self.names)
        if level and (not self.names or are_names(self.names, "INFO", has_time=False)):
            self.level, self.end = level, end
            return True
        if not self.names and self.has_time and word in IN_LOWER_CASE and following in " \t":
            self.level, self.end = IN_CAPITALS[word.upper()], end
            return True
        if len(word) == 2 and word[1] == "!" and self.has_time and not self.names:  # Telegraf
            self.level, self.end = OF_LETTER.get(word[0], ""), end
            return self.level != ""
        if word == "PHP":
            self.level, self.end = level_of_php(self.line, match.start(_WORD))
            return self.level != ""
        if word[0] == "#" and word[1:].isdecimal() and len(word) < 12:
            self.fields.setdefault("pid", word[1:])
            return True
        if word.isdecimal():
            if self.names and self.names[-1][0] == "pid":
                self.names.pop()
                self.fields.setdefault("pid", word)
                return True
            self.numbers.append(word)
            return len(self.numbers) < 4 and following != "="
        if len(word) == 1 and word in OF_LETTER and self._is_letter_level(word, end):
            return True
        if pair := level_with_name(self.line, match):
            self.level, name, value = pair
            self.end = end
            if value:
                self.fields[name] = value
            return True
        return self._name(word, match["sep"], end)

    def _is_level(self, word: str, match_end: int, sep: str) -> bool:
        """Whether a level word in capitals stands where levels do."""
        following = self.line[match_end : match_end + 1]
        if following == "=" or (following == "[" and not self.line[match_end:].strip()):
            return False
        if not self.has_time and is_head_of_table(self.line, match_end):
            return False
        if (following == ":" and not self.names) or "|" in sep or following == "|":
            return True
        if not self.has_time and not self.names and not self.numbers and not self.fields:
            return word in ALONE or following in ("", "\n", "[")
        if len(self.numbers) == 1 and is_count(self.numbers[0], self.line, match_end):
            return False
        if not self.names and (self.has_time or not self.numbers or "thread" in self.fields):
            return True
        is_usual = self.has_time or (word in ALONE and not self.numbers)
        return is_usual and are_names(self.names, word, self.has_time)

    def _is_letter_level(self, word: str, end: int) -> bool:
        """E of logcat behind two numbers, of MongoDB before a component, of etcd before a bar."""
        match = LETTER_LEVEL.match(self.line, end)
        if match is None or not (self.has_time or len(self.numbers) == 2):
            return False
        is_logcat = len(self.numbers) == 2
        level = OF_LETTER[word]
        if not is_logcat and (match["tag"] or match["code"]):
            level = level_of_websphere([*self.numbers, *(name for name, _ in self.names)], word)
            if not level:
                return False
        self.level, self.end = level, end
        if is_logcat:
            self.fields["pid"], self.fields["tid"] = self.numbers
            self.numbers = []
        if logger := match["component"] or (match["tag"] if is_logcat else self.names and self.names[-1][0]):
            self.fields["logger"] = logger.strip()
        return True

    def _name(self, word: str, sep: str, end: int) -> bool:
        line = self.line
        place = _GO_PLACE.match(line, end - len(word) - 1) if line[end : end + 1] == ":" else None
        if place:
            self.fields.setdefault("file", place[1])
            self.fields.setdefault("line", place[2])
            if len(self.numbers) == 1:
                self.fields.setdefault("tid", self.numbers[0])
            self.end = place.end()
            return True
        if ids := _ANDROID_STUDIO.match(word):
            self.fields["pid"], self.fields["tid"] = ids.groups()
            return True
        if pairs := _PAIRS.match(line, end - len(word)):
            self.end = pairs.end()
            return True
        following = line[end : end + 3]
        if following[:1] == "=" or len(self.names) > 4 or not self.has_names:
            return False
        self.names.append((word, following))
        return self.has_time or len(self.names) < 3

    def _origin(self) -> None:
        """What stands behind the level."""
        fields, line = self.fields, self.line
        if self.numbers and "pid" not in fields and self.has_time and len(self.numbers) == 1 and not self.names:
            fields["pid" if line[self.end - 1].isupper() else "tid"] = self.numbers[0]
        if len(self.names) == 1 and "logger" not in fields:
            fields["logger"] = self.names[0][0]
        self.end = read_behind_level(line, self.end, fields, self.number_in_brackets)


def trailing_logger(line: str) -> str:
    """The logger that Kafka writes at the end of a line."""
    match = _TRAILING.search(line, max(0, len(line) - 220))
    return match["logger"] if match else ""

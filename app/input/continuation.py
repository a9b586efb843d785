"""Which lines continue the event before them: stack traces and their like."""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

_LOOK_BYTES = 1024  # what a line is shows in its beginning; so a long one takes no time


class Answer(Enum):
    """What a line is to the event before it."""

    CONTINUES = auto()
    BEGINS = auto()
    DEPENDS = auto()
    """It continues the event if one of the next lines does."""


class Rule(Protocol):
    """Decides about the lines of one event, in their order."""

    def begin(self, line: bytes) -> bool:
        """An event begins with this line. False: it is complete, nothing continues it."""

    def answer(self, line: bytes) -> Answer:
        """About the next line, which is not blank. After BEGINS the rule is not asked again."""


class BeginningRule:
    """Events begin with lines that match a regular expression; all others continue them."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def begin(self, line: bytes) -> bool:
        return True

    def answer(self, line: bytes) -> Answer:
        return Answer.BEGINS if self._pattern.match(line.decode(errors="replace")) else Answer.CONTINUES


_TIME = rb"""[\s\[("'<|]*(?:<\d{1,3}>\d?\s*)?(?:
    \d{4}[-/.]\d\d?[-/.]\d\d?           # 2026-11-29
  | \d\d?[-/.]\d\d?[-/.]\d{2,4}\b        # 29.11.2026
  | \d\d?[/ -][A-Z][a-z]{2}[/ ,-]+\d{2,4}\b  # 29/Nov/2026
  | (?:[A-Z][a-z]{2},?\ )?[A-Z][a-z]{2}\ +\d\d?,?\ +\d\d   # Nov 29 10:15
  | \d\d?:\d\d:\d\d                      # 10:15:01
  | \d{8}[T_\ -]?\d{6}                   # 20261129T101501
  | \d+\.\d{6}\]                         # [   12.345678] of a kernel
)"""
_INDENTED_LEVEL = rb"\s+\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|ALERT|EMERG)\b[\]\s:|]"
_BEGINS = re.compile(rb"%b|%b|[{\[]" % (_TIME, _INDENTED_LEVEL), re.VERBOSE)

# A name with dots or backslashes that ends like those of exceptions: java.lang.Error, System.IO.IOException.
_EXCEPTION_NAME = rb"(?:[A-Za-z_][\w$]*[.\\])+[\w$]*(?:Exception(?:Info)?|Error|Throwable|Failure|Fault)(?:`\d)?"
_EXCEPTION_END = rb"(?:[:(]|\ \(|\ \[|\s*$)"
# Lines that may follow the message of an exception, which may have several lines.
_AFTER_MESSAGE = rb"""
    at\ (?:async\ |new\ |Object\.)?(?:
        [A-Za-z_$<\[/\\.~][^\s(:]*(?:\(|\ \(|\ in\ |\ \[as\ |(?::\d+){1,2}\)?$)
      | (?:file|node|https?|webpack[\w-]*):\S | <anonymous>)            # Java, .NET, Node
  | (?:Caused|Wrapped)\ by:(?:\ |$) | Suppressed:\ | Nested\ exception | \.\.\.\ \d+\   # Java, anyhow of Rust
  | File\ "[^"]+",\ line\ \d | (?:During\ handling\ of|The)\ (?:the\ )?above\ exception   # Python
  | --->\ | ---\ End\ of\ .*stack\ trace                               # .NET
"""
_RESUMES = re.compile(_AFTER_MESSAGE, re.VERBOSE)
_FRAMES = re.compile(
    rb"""%b
  | (?:Traceback|Stack)\ \(most\ recent\ call | \[(?:SQL|parameters):\ | \(Background\ on\ this\ error   # Python
  | goroutine\ \d+\ .*\]:$ | \[signal\ \w+        # Go
  | [Ss]tack\ backtrace:$ | note:\ (?:run\ with|[Ss]ome\ details)            # Rust
  | PHP\ Stack\ trace:$ | PHP\ +\d+\.\ | Stack\ trace:$ | \[(?:stacktrace|previous\ exception)\]   # PHP
  | \#\d+\ +(?:\{main\}|\S+\(\d+\):\ |\[internal\ function\]|0x[0-9a-f]+\ in\ ) | "\}\s*$
  | from\ \S+:\d+:in\  | [^\s:]+\.(?:rb|erb|haml|slim|rake|ru):\d+:in\ [`'][^']*'\s*$   # Ruby
  | Node\.js\ v\d
  | [\])}]+[,;.]?\s*$                                                   # closing braces
  | %b%b
    """
    % (_AFTER_MESSAGE, _EXCEPTION_NAME, _EXCEPTION_END),
    re.VERBOSE,
)
# Without dots such a line may be an event of its own: it continues one that speaks of a failure.
_PLAIN_EXCEPTION = re.compile(
    rb"(?:Uncaught\ )?(?:[A-Z]\w*(?:::\w+)*)?(?:Exception|Error)%b|\*\*\ \(" % _EXCEPTION_END, re.VERBOSE
)
_FAILURE = re.compile(rb"error|exception|fail|fatal|crit|panic|warn|severe|uncaught|unhandled|\bE,? ?\[", re.IGNORECASE)

_PYTHON_TRACE = b"Traceback (most recent call"
_PYTHON_END = re.compile(rb"[A-Za-z_][\w.]*(?::\s|:?\s*$)")
_PHP_NEXT = re.compile(rb"Next\ [\w\\]+(?::\ |\ in\ )", re.VERBOSE)
_ELIXIR_EXCEPTION = b"** ("
_ELIXIR_END = re.compile(rb"(?:Last message(?: \(from .*\))?|State|Client .*): ")
_NODE_PLACE = re.compile(rb"(?:file://|node:|/|[A-Za-z]:\\)\S+:\d+\s*$")  # of an uncaught error; its code and ^ follow
_GO_TRACE = re.compile(rb"(?:panic: |fatal error: |goroutine \d+ )")
_GO_FRAME = re.compile(
    rb"[\w./]+(?:\(\*?\w+\))?[\w.\[\]{}\xc2\xb7-]*\(.*\)\s*$"
    rb"|created by |\.\.\.additional frames|exit status \d+\s*$|runtime stack:$"
)
_RUST_PANIC = re.compile(rb".*panicked at .*:\d+:\d+:\s*$")
_NAMES_EXCEPTION = re.compile(
    rb"""
    (?:Exception\ in\ thread\ "[^"]*"\ |Unhandled\ [Ee]xception[.:]\ |Uncaught\ |Caused\ by:\ |Suppressed:\ |--->\ )?
    (?:%b|(?:[A-Z]\w*(?:::\w+)*)?(?:Exception|Error))%b"""
    % (_EXCEPTION_NAME, _EXCEPTION_END),
    re.VERBOSE,
)
_MOST_MESSAGE_LINES = 20
_CARET = re.compile(rb"\s*[\^~]+\s*$")
_BRACKETS_OF_TRACES = (b"[signal ", b"[stacktrace]", b"[previous exception]", b"[SQL: ", b"[parameters: ")
_OBJECTS = re.compile(rb'\[?\s*\{\s*[}"]')
_JUL_HEAD = re.compile(rb"[A-Z][a-z]{2} \d\d?, \d{4} \d\d?:\d\d:\d\d [AP]M \S+ \S+\s*$")
_JUL_MESSAGE = re.compile(rb"(?:SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")


class TraceRule:
    """Joins what is indented, and the frames and causes of stack traces of common languages, to the event before.

    Nothing that begins with a time, a level or JSON is joined, and nothing to a line that is JSON.
    """

    def __init__(self) -> None:
        self._is_indented = self._is_python = self._is_go = self._is_elixir = self._is_message = False
        self._depending = 0
        self._head = self._last = b""

    def begin(self, line: bytes) -> bool:
        if _is_json(line):
            return False
        look = line[:_LOOK_BYTES]
        self._is_python = self._is_go = self._is_elixir = False
        self._is_message = bool(_NODE_PLACE.match(look))
        self._head = look
        self._is_indented = look[:1].isspace() and not _BEGINS.match(look)
        self._pass(look)
        return True

    def answer(self, line: bytes) -> Answer:
        look = line[:_LOOK_BYTES]
        answer = self._answer(look)
        if answer is Answer.BEGINS or _begins_event(line, look):
            return Answer.BEGINS
        if answer is Answer.CONTINUES:
            self._pass(look)
        return answer

    def _answer(self, line: bytes) -> Answer:
        if self._depending:
            does = bool(_RESUMES.match(line.lstrip()) or (_CARET.match(line) and _NODE_PLACE.match(self._head)))
        else:
            does = (line[:1].isspace() and not self._is_indented) or self._is_frame(line)
        if does:
            return Answer.CONTINUES
        if not self._is_message or self._depending == _MOST_MESSAGE_LINES:
            return Answer.BEGINS
        self._depending += 1
        return Answer.DEPENDS

    def _is_frame(self, line: bytes) -> bool:
        return bool(
            _FRAMES.match(line.lstrip())
            or (self._is_python and _PYTHON_END.match(line))
            or (self._is_go and _GO_FRAME.match(line))
            or (self._is_elixir and _ELIXIR_END.match(line))
            or (self._last.startswith(b"#") and _PHP_NEXT.match(line))
            or (self._last.rstrip().endswith(b":") and _RUST_PANIC.match(self._last))
            or (_JUL_MESSAGE.match(line) and _JUL_HEAD.match(self._last))
            or (_PLAIN_EXCEPTION.match(line) and (_FAILURE.search(self._head) or _CARET.match(self._last)))
        )

    def _pass(self, line: bytes) -> None:
        """Note what this line says about the next ones."""
        text = line.lstrip()
        is_end_of_python = self._is_python and line == text
        if _NAMES_EXCEPTION.match(text) or is_end_of_python:
            self._is_message = True
        elif _RESUMES.match(text):
            self._is_message = False
        self._is_python = text.startswith(_PYTHON_TRACE) or (self._is_python and not is_end_of_python)
        self._is_go = self._is_go or bool(_GO_TRACE.match(text))
        self._is_elixir = self._is_elixir or text.startswith(_ELIXIR_EXCEPTION)
        self._depending = 0
        self._last = line


def _begins_event(line: bytes, look: bytes) -> bool:
    return _is_json(line.strip()) or bool(_BEGINS.match(look) and not look.startswith(_BRACKETS_OF_TRACES))


def _is_json(line: bytes) -> bool:
    """Roughly: an object, or an array of some, in one line."""
    return bool(_OBJECTS.match(line)) and line.rstrip(b" \t\r,").endswith((b"}", b"]"))


def rule_of(multiline: str | None) -> Callable[[], Rule] | None:
    """Makes the rule by which lines become events: that of stack traces by default, None with `off`.

    Any other text is the regular expression of what begins an event.
    """
    if multiline is None:
        return TraceRule
    if multiline == "off":
        return None
    pattern = re.compile(multiline)
    return lambda: BeginningRule(pattern)

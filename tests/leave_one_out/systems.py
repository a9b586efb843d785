"""How the lines of a system are read with the rules that other logs have need of: the system itself is left out.

A rule is of a system alone if its lines match it and no others do: neither those of the other six systems, nor (but
for `of_the_seven`) those of the programs that tests know, without the lines of the same program among them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from app.formats.reading import Reading
from app.formats.text_line import TextLine, read_text_line
from tests.leave_one_out.rules import Notes, Rule, forget, watched
from tests.support.loghub import Log, read_log
from tests.support.program_lines import READING, known_lines
from tests.support.text_programs import LINES as TEXT_PROGRAMS

NAMES = {
    "Apache": ("apache", "httpd"),
    "HDFS": ("hdfs", "hadoop"),
    "Linux": ("linux", "syslog"),
    "OpenSSH": ("sshd", "openssh"),
    "OpenStack": ("openstack", "nova"),
    "Spark": ("spark",),
    "Zookeeper": ("zookeeper", "quorum"),
}
"""The systems, and words that tell lines of the same program elsewhere, which are left out too."""


class Left(NamedTuple):
    """How the lines of a system are read without the rules that only it has need of."""

    rules: frozenset[Rule]  # that were taken away
    lines: int
    times: int  # right ones
    levels: int
    wrong: int  # lines with a time or a level that is claimed and not right


def leave_out_each(of_the_seven: bool = False) -> dict[str, Left]:
    """By system, how it is read without its rules; with `of_the_seven` without all that the other six do not need."""
    logs = {system: read_log(system) for system in NAMES}
    with watched() as notes:
        used = {system: _rules_of(notes, ((line, log.reading) for line in log.lines)) for system, log in logs.items()}
        left = {}
        for system, log in logs.items():
            elsewhere = [] if of_the_seven else _lines_elsewhere(NAMES[system])
            others = [rules for other, rules in used.items() if other != system]
            left[system] = _without(notes, log, used[system] - _rules_of(notes, elsewhere).union(*others))
        return left


def _without(notes: Notes, log: Log, rules: frozenset[Rule]) -> Left:
    expected = _read(notes, log)
    found = _read(notes, log, rules)
    pairs = list(zip(found, expected, log.labels, strict=True))
    return Left(
        rules,
        len(log.lines),
        sum(one.timestamp_ns == label.time_ns for one, _, label in pairs),
        sum(one.severity == whole.severity for one, whole, _ in pairs),
        sum(
            one.timestamp_ns not in (None, label.time_ns) or one.severity not in ("", whole.severity)
            for one, whole, label in pairs
        ),
    )


def _read(notes: Notes, log: Log, refused: frozenset[Rule] = frozenset()) -> list[TextLine]:
    forget()
    notes.refused = refused
    try:
        return [read_text_line(line, log.reading) for line in log.lines]
    finally:
        notes.refused = frozenset()


def _rules_of(notes: Notes, lines: Iterable[tuple[str, Reading]]) -> frozenset[Rule]:
    """The rules that any of these lines has need of."""
    forget()
    notes.matched = set()
    for line, reading in lines:
        read_text_line(line, reading)
    return frozenset(notes.matched)


def _lines_elsewhere(names: tuple[str, ...]) -> Iterable[tuple[str, Reading]]:
    """The lines of all other programs that tests know."""
    known = [(line.program, line.text) for line in TEXT_PROGRAMS] + [(one.program, one.text) for one in known_lines()]
    for program, text in known:
        if not any(name in f"{program} {text}".lower() for name in names):
            yield text, READING

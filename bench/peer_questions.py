"""The questions that the service and VictoriaLogs are asked, each in the language of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from bench.history import SERVICES, service_name
from bench.query_kinds import KINDS, Kind, Parameters, SearchValues

LIMIT: Final = "100"

_QUERY, _HITS = "/select/logsql/query", "/select/logsql/hits"
_TERM: Final = re.compile(r'[\w.]+:"[^"]*"|[\w.]+:\[[^\]]*\]|[\w.]+:\S+|"[^"]*"|\S+')
_WORD_KINDS: Final = ("rare word", "common word", "phrase", "service and word")
_STEPS: Final = {"24h": "15m", "1d": "15m", "30d": "12h"}
_LEVELS_FROM: Final = {"error": "error,fatal", "warn": "warn,error,fatal"}
_WORDS: Final = ("request", "session", "payment", "received")

Request = tuple[str, Parameters]
"""A path and its parameters."""


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of question; `is_sensitive` asks VictoriaLogs for words as they are written, which is its default."""

    name: str
    kind: Kind
    is_sensitive: bool = False

    def requests(self, rng: Random, values: SearchValues) -> tuple[Request, Request]:
        """One question with values of its own: to the service, and to VictoriaLogs."""
        mine = dict(self.kind.parameters(rng, values))
        theirs = _translated(self.kind, mine, is_sensitive=self.is_sensitive)
        if self.kind.path == "/logs":
            mine |= {"limit": LIMIT}
        return (self.kind.path, mine), theirs


def _of_a_service(rng: Random) -> str:
    return service_name(int(SERVICES * rng.random() ** 3))


def _logs(query: str) -> Parameters:
    return {"query": query, "start": "now-30d"}


# What VictoriaLogs is made for: a stream by its labels, and counts over its time.
_ITS_GROUND: Final = (
    Kind("newest of a service", "/logs", lambda rng, _values: _logs(f"service:{_of_a_service(rng)}")),
    Kind(
        "service and word",
        "/logs",
        lambda rng, _values: _logs(f"service:{_of_a_service(rng)} {rng.choice(_WORDS)}"),
    ),
    Kind(
        "hits of a service 24 h",
        "/histogram",
        lambda rng, _values: {"query": f"service:{_of_a_service(rng)}", "start": "now-24h"},
    ),
    Kind(
        "hits of a word 24 h",
        "/histogram",
        lambda rng, _values: {"query": rng.choice(_WORDS), "start": "now-24h"},
    ),
)


def questions(parts: Sequence[str] = ()) -> list[Question]:
    """All kinds that both can answer, or those whose name contains one of `parts`.

    Kinds with words come twice: both ignore case, as the service does, or VictoriaLogs does not, as it does by default.
    """
    found = []
    for kind in (*KINDS, *_ITS_GROUND):
        if "{id}" in kind.path:
            continue  # the lines around a log: VictoriaLogs names a log by its stream and time, not by an id
        found.append(Question(kind.name, kind))
        if kind.name in _WORD_KINDS or "of a word" in kind.name:
            found.append(Question(f"{kind.name}, case-sensitive there", kind, is_sensitive=True))
    return [question for question in found if not parts or any(part in question.name for part in parts)]


def condition(query: str, *, is_sensitive: bool) -> str:
    """A query of the service in LogsQL, without its time."""
    return " ".join(_term(term, is_sensitive=is_sensitive) for term in _TERM.findall(query)) or "*"


def _term(term: str, *, is_sensitive: bool) -> str:
    if term.startswith('"') or ":" not in term:
        return term if is_sensitive else f"i({term})"
    field, value = term.split(":", 1)
    value = value.strip('"')
    if value.startswith(">="):
        return f"{field}:in({_LEVELS_FROM[value[2:]]})"
    if value.startswith("["):
        least, most = value.strip("[]").split(" TO ")
        return f'"{field}":range[{least},{most}]'
    return f'{{service="{value}"}}' if field == "service" else f'"{field}":="{value}"'


def _translated(kind: Kind, mine: Mapping[str, str], *, is_sensitive: bool) -> Request:
    since = mine["start"].removeprefix("now-")
    query = f"_time:{since} {condition(mine.get('query', ''), is_sensitive=is_sensitive)}"
    if kind.path == "/logs":
        return _QUERY, {"query": query, "limit": LIMIT}
    if kind.path == "/histogram":
        times = {"start": f"now-{since}", "end": "now", "step": _STEPS[since]}
        return _HITS, {"query": query, "field": "level", **times}
    return _QUERY, {"query": f"{query} | {_pipe(kind, mine)}"}


def _pipe(kind: Kind, mine: Mapping[str, str]) -> str:
    if kind.path == "/fields/http.route/values":
        return 'top 20 by ("http.route")'
    functions = ", ".join(_functions(mine.get("function", "count"), mine.get("field", "")))
    return f'stats by ("{mine["by"]}") {functions}' if "by" in mine else f"stats {functions}"


_FUNCTIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "count": lambda _field: "count() count",
    "avg": lambda field: f"avg({field}) avg",
    "p99": lambda field: f"quantile(0.99, {field}) p99",
}


def _functions(names: str, field: str) -> Iterator[str]:
    for name in names.split(","):
        yield _FUNCTIONS[name](field)

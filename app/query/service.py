"""Everything that can be asked, in one hand: for the HTTP API and for the command line."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.statement import Answer
from app.ports import LogReader
from app.query.aggregate import Aggregate, read_by
from app.query.condition import Condition, condition_of
from app.query.context import Surroundings
from app.query.density_estimate import Density
from app.query.errors import BadParameter
from app.query.facets import Facets
from app.query.functions import Function, read_functions
from app.query.language import parse
from app.query.log_row import RowShape
from app.query.search import Cursor, Page, Search, Searcher
from app.query.tail import Tail, read_places
from app.query.time_range import SECOND_NS, TimeRange, read_interval_secs, read_range

_LAST_MINUTE_NS: Final = 2**32 // 60 * 60 * SECOND_NS
_BARS: Final = 100  # a histogram has no more of them unless it is told to
_MOST_BARS: Final = 5_000
_INTERVALS_SECS: Final = (
    *(1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800),
    *(3600 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 168, 720)),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The answer to an aggregate, and whether it has all groups."""

    asked: Aggregate
    answer: Answer

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The groups, as many as were asked for; steps of time from the oldest on."""
        rows = self.answer.rows[: self.asked.limit]
        return sorted(rows, key=lambda row: row[0]) if self.asked.interval_secs else rows

    @property
    def is_complete(self) -> bool:
        """Whether there are no more groups than were asked for."""
        return len(self.answer.rows) <= self.asked.limit


class QueryService:
    """Reads what people type, and asks. Shared by threads."""

    def __init__(
        self,
        reader: LogReader,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        density = Density(reader, now_ns, clock)
        self._reader = reader
        self._now_ns = now_ns
        self._searcher = Searcher(reader, density.rows_per_sec, clock)
        self.surroundings = Surroundings(reader, density.rows_per_sec, clock)
        self.facets = Facets(reader, density.rows_per_sec, clock)

    def condition(self, query: str) -> Condition:
        """What a query means.

        Raises:
            QueryError: it cannot be understood.
        """
        return condition_of(parse(query).tree)

    def hints(self, query: str) -> list[str]:
        """What a query may have meant otherwise, a sentence each.

        Raises:
            QueryError: it cannot be understood.
        """
        return [f"{hint.typed} at {hint.position}: was {hint.suggestion} meant?" for hint in parse(query).hints]

    def span(self, start: str, end: str) -> TimeRange:
        """The range between two moments.

        Raises:
            BadParameter: see `read_range`.
        """
        return read_range(start, end, now_ns=self._now_ns())

    def search(self, query: str, span: TimeRange, *, fields: str, limit: int, cursor: str) -> Search:
        """A search, as it was typed.

        Raises:
            QueryError, BadParameter: it cannot be understood.
        """
        asked = Search(self.condition(query), span, limit, RowShape(names_in(fields)))
        return asked.after(Cursor.read(cursor, asked.crc)) if cursor else asked

    def page(self, search: Search, *, timeout_secs: float) -> Page:
        """See `Searcher.page`."""
        return self._searcher.page(search, timeout_secs=timeout_secs)

    def histogram(self, query: str, span: TimeRange, *, by: str, interval: str) -> Aggregate:
        """Counts over time."""
        secs = _interval_secs(interval, span) if interval else _fitting_interval_secs(span)
        functions = [Function("count")]
        return Aggregate(self.condition(query), _bounded(span), functions, read_by(names_in(by), functions), secs)

    def stats(
        self, query: str, span: TimeRange, *, functions: str, field: str, by: str, interval: str, limit: int
    ) -> Aggregate:
        """Figures, as they were typed."""
        secs = _interval_secs(interval, span) if interval else None
        found = read_functions(functions, field)
        return Aggregate(self.condition(query), _bounded(span), found, read_by(names_in(by), found), secs, limit)

    def figures(self, asked: Aggregate, *, timeout_secs: float) -> Figures:
        """Ask for an aggregate.

        Raises:
            AskForLess, TryAgainLater: see `LogReader.ask`.
        """
        return Figures(asked, self._reader.ask(asked.statement, timeout_secs=timeout_secs))

    def tail(self, query: str, *, fields: str, last_id: str) -> Tail:
        """Follow what is stored from now on, or after an earlier place.

        Raises:
            QueryError, BadParameter: it cannot be understood.
        """
        places = read_places(last_id) if last_id else None
        return Tail(self._reader, self.condition(query), RowShape(names_in(fields)), places)


def names_in(text: str) -> list[str]:
    """The names of a comma-separated list, each once."""
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _interval_secs(interval: str, span: TimeRange) -> int:
    secs = read_interval_secs("interval", interval)
    if span.seconds / secs > _MOST_BARS:
        raise BadParameter("interval", f"interval={interval} makes more than {_MOST_BARS:,} steps of this range")
    return secs


def _bounded(span: TimeRange) -> TimeRange:
    """A range that starts of minutes can express.

    Raises:
        BadParameter: it goes on beyond.
    """
    if span.end_ns > _LAST_MINUTE_NS:
        raise BadParameter("end", "figures end in the year 2106")
    return span


def _fitting_interval_secs(span: TimeRange) -> int:
    return next((secs for secs in _INTERVALS_SECS if span.seconds / secs <= _BARS), _INTERVALS_SECS[-1])

"""`python -m app query`: finds logs, and follows them."""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from app.backends.clickhouse_reader import ClickHouseReader
from app.commands.console import run_command, say
from app.commands.log_line import log_line
from app.errors import AskForLess, TryAgainLater
from app.query.errors import BadParameter, QueryError
from app.query.questions import Questions
from app.settings import Settings

_LOOK_EVERY_SECS = 0.5


def query_logs(settings: Settings, asked: Namespace) -> int:
    """Print the newest matching logs, the newest last, and then those to come if asked to. 2 if there is no answer."""
    questions = Questions(ClickHouseReader(settings.clickhouse, settings.query))
    in_colour = asked.colour == "always" or (asked.colour == "auto" and sys.stdout.isatty())

    def write(fields: Mapping[str, Any]) -> None:
        say(json.dumps(fields, ensure_ascii=False) if asked.json else log_line(fields, in_colour=in_colour))

    return run_command(lambda: _answered(asked, lambda: _print(questions, settings, asked, write)), cut_off=0)


def _answered(asked: Namespace, job: Callable[[], None]) -> int:
    try:
        job()
    except QueryError as error:
        print(f"{asked.query}\n{' ' * error.position}^\n{error}", file=sys.stderr)
    except BadParameter as error:
        print(error, file=sys.stderr)
    except AskForLess as error:
        print(f"{error}\nAsk about a shorter time (--start), or give it more of it (--timeout-ms).", file=sys.stderr)
    except TryAgainLater as error:
        print(f"ClickHouse does not answer: {error}", file=sys.stderr)
    else:
        return 0
    return 2


def _print(
    questions: Questions, settings: Settings, asked: Namespace, write: Callable[[Mapping[str, Any]], None]
) -> None:
    # From before the search on: what is stored meanwhile may come twice, and never not at all.
    tail = questions.tail(asked.query, fields=asked.fields, after="") if asked.follow else None
    span = questions.span(asked.start, asked.end)
    search = questions.search(asked.query, span, fields=asked.fields, limit=asked.limit, cursor="")
    timeout_ms = settings.query.timeout_ms if asked.timeout_ms is None else asked.timeout_ms
    page = questions.page(search, timeout_secs=timeout_ms / 1000)
    seen = {row.id for row in page.rows}
    for row in reversed(page.rows):
        write(row.as_object())
    if not page.is_complete:
        print(f"The time was up: there may be more before {page.next_cursor}", file=sys.stderr)
    while tail is not None:
        for stored in tail.look():
            if stored.row.id not in seen:
                write(stored.row.as_object())
        time.sleep(_LOOK_EVERY_SECS)

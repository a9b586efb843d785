"""`python -m app query`: finds logs, and follows them."""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from app.build.query import query_service
from app.commands.console import run_command, say
from app.commands.log_line import log_line
from app.errors import QueryTooExpensive, Refused, TryAgainLater
from app.query.errors import BadParameter, QueryError
from app.query.language import parse
from app.query.service import QueryService, names_in
from app.settings import Settings

_POLL_EVERY_SECS = 0.5
_RETRY_AFTER_SECS = 5.0


def query_logs(settings: Settings, options: Namespace) -> int:
    """Print the newest matching logs, the newest last, then follow if requested. Returns 2 if the query fails."""
    queries = query_service(settings)
    in_colour = options.colour == "always" or (options.colour == "auto" and sys.stdout.isatty())

    def write(fields: Mapping[str, Any]) -> None:
        # On a terminal, a log's text must not move the cursor.
        as_json = json.dumps(fields, ensure_ascii=sys.stdout.isatty())
        say(as_json if options.json else log_line(fields, in_colour=in_colour, are_chosen=bool(options.fields)))

    return run_command(lambda: _run(options, lambda: _print(queries, settings, options, write)), cut_off=0)


def _run(options: Namespace, job: Callable[[], None]) -> int:
    try:
        job()
    except QueryError as error:
        _print_error(f"{options.query}\n{' ' * error.position}^\n{error}")
    except (BadParameter, Refused) as error:
        _print_error(str(error))
    except QueryTooExpensive as error:
        _print_error(f"{error}\nQuery a shorter time range (--start), or raise --timeout-ms.")
    except TryAgainLater as error:
        _print_error(f"ClickHouse is unavailable: {error}")
    else:
        return 0
    return 2


def _print(
    queries: QueryService, settings: Settings, options: Namespace, write: Callable[[Mapping[str, Any]], None]
) -> None:
    query, fields = parse(options.query), names_in(options.fields)
    # The tail begins before the search: a row that is stored meanwhile may appear in both, but is never missed.
    tail = queries.tail(query.tree, fields=fields, last_id="") if options.follow else None
    for hint in query.hints:
        _print_error(str(hint))
    span = queries.span(options.start, options.end)
    search = queries.search(query.tree, span, fields=fields, limit=options.limit, cursor=options.cursor)
    page = queries.page(search, timeout_secs=settings.query.granted_secs(options.timeout_ms))
    seen = {row.id for row in page.rows}
    for row in reversed(page.rows):
        write(row.as_object())
    if not page.is_complete:
        _print_error(f"The query timed out. To continue: --cursor '{page.next_cursor}'")
    while tail is not None:
        try:
            for row in tail.poll():
                if row.id not in seen:
                    write(row.as_object())
        except (TryAgainLater, QueryTooExpensive) as error:
            _print_error(f"{error}; retrying")
            time.sleep(_RETRY_AFTER_SECS)
        time.sleep(_POLL_EVERY_SECS)


def _print_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

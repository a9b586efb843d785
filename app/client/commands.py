"""Runs the commands that query a running service."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TextIO

from app.client.api import Api, ApiError, Queries, Unreachable, path_of
from app.client.arguments import DEFAULT_URL
from app.client.follow import Tail
from app.client.output import LogWriter, table
from app.client.problems import hint_lines, problem_lines
from app.client.token import token_in
from app.console import run_command, say_error

FAILED: Final = 2
_PAGE_ROWS: Final = 5_000


class Output(NamedTuple):
    """Where results and remarks go. What is written is escaped already, remarks are not."""

    write: Callable[[str], Any]
    remark: Callable[[str], Any]
    is_terminal: bool
    in_colour: bool


def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Run a command. Returns the exit code: 0, or 2 if the query failed; the reason is on standard error."""
    try:
        api = Api(options.url or environ.get("LOG_ANALYTICS_URL") or DEFAULT_URL, token_in(environ))
    except ValueError as error:
        say_error(str(error))
        return FAILED
    return run_command(lambda: run_on(api, options, output_to(sys.stdout, options, environ)), cut_off=0)


def output_to(stream: TextIO, options: Namespace, environ: Mapping[str, str]) -> Output:
    """Output to a stream, in colour if that is a terminal and nothing speaks against it."""
    is_terminal = stream.isatty()
    in_colour = options.colour == "always" or (options.colour == "auto" and is_terminal and not environ.get("NO_COLOR"))
    return Output(lambda text: print(text, file=stream, flush=True), say_error, is_terminal, in_colour)


def run_on(api: Queries, options: Namespace, output: Output) -> int:
    """Run a command on this API. Returns the exit code."""
    query = " ".join(getattr(options, "query", ()))
    try:
        _COMMANDS[options.command](api, options, query, output)
    except ApiError as error:
        for line in problem_lines(error, query):
            output.remark(line)
        return FAILED
    except Unreachable as error:
        output.remark(str(error))
        return FAILED
    return 0


def _query(api: Queries, options: Namespace, query: str, output: Output) -> None:
    writer = _log_writer(options, output)
    # The tail begins before the search: a log that is stored meanwhile may be in both, but is never missed.
    events = _open_tail(api, options, query, output) if options.follow else None
    logs, remark = _newest(api, options, query, output)
    for log in reversed(logs):
        output.write(writer.text(log))
    if remark:
        output.remark(remark)
    if events is None:
        return
    seen = {log["id"] for log in logs}
    for log in events:
        if log["id"] not in seen:
            output.write(writer.text(log))


def _newest(api: Queries, options: Namespace, query: str, output: Output) -> tuple[list[dict[str, Any]], str]:
    """The newest logs, page by page, and a remark about what is missing."""
    logs: list[dict[str, Any]] = []
    page: dict[str, Any] = {"complete": True, "next_cursor": options.cursor or None}
    while page["complete"] and len(logs) < options.limit and (not logs or page.get("next_cursor")):
        limit = min(options.limit - len(logs), _PAGE_ROWS)
        parameters = {"fields": options.fields, "limit": limit, "cursor": page.get("next_cursor")}
        page = api.get("/logs", _range(options, query) | parameters)
        if not logs:
            _remark_hints(page, output)
        logs += page["rows"]
        if not page["rows"]:
            break
    return logs, _missing(logs, page, options)


def _missing(logs: Sequence[object], page: Mapping[str, Any], options: Namespace) -> str:
    cursor = page.get("next_cursor")
    if not page["complete"]:
        return f"The query timed out, these are not all logs. To continue: --cursor '{cursor}'"
    if cursor:
        count = f"{len(logs):,} newest log" + ("" if len(logs) == 1 else "s")
        return f"{count}; more: --limit {10 * options.limit}, or the older ones: --cursor '{cursor}'"
    return "" if logs else f"No logs match from {options.start} to {options.end}."


def _open_tail(api: Queries, options: Namespace, query: str, output: Output) -> Iterator[dict[str, Any]]:
    """The logs that are stored from now on; the stream is open already."""

    def open_stream(last_id: str) -> Iterator[bytes]:
        return api.stream("/logs/tail", {"query": query, "fields": options.fields}, last_id)

    events = Tail(open_stream, output.remark).events()
    next(events)  # "ready"

    def logs() -> Iterator[dict[str, Any]]:
        for event in events:
            if event.kind == "trouble":
                output.remark(f"{event.data.get('message', 'ClickHouse is unavailable')}; waiting")
            elif not event.kind:
                yield event.data

    return logs()


def _context(api: Queries, options: Namespace, _query: str, output: Output) -> None:
    parameters = {"before": options.before, "after": options.after, "timeout_ms": options.timeout_ms}
    if options.same is not None:
        parameters["same"] = options.same
    page = api.get(f"/logs{path_of(options.id, 'context')}", parameters)
    writer = _log_writer(options, output)
    for log in page["rows"]:
        output.write(writer.text(log))
    if not page["complete"]:
        output.remark("The query timed out; there may be more.")


def _stats(api: Queries, options: Namespace, query: str, output: Output) -> None:
    own = {name: getattr(options, name) for name in ("function", "field", "by", "interval", "limit")}
    response = api.get("/stats", _range(options, query) | own)
    _print_table(response, options, output)
    for name, bound in response.get("approximate", {}).items():
        output.remark(f"{name} is approximate: {bound}")


def _histogram(api: Queries, options: Namespace, query: str, output: Output) -> None:
    parameters = _range(options, query) | {"interval": options.interval}
    if options.by is not None:
        parameters["by"] = options.by
    _print_table(api.get("/histogram", parameters), options, output)


def _fields(api: Queries, options: Namespace, query: str, output: Output) -> None:
    parameters = _range(options, query) | {"prefix": options.prefix, "limit": options.limit}
    _print_table(api.get("/fields", parameters), options, output)


def _values(api: Queries, options: Namespace, query: str, output: Output) -> None:
    parameters = _range(options, query) | {"prefix": options.prefix, "limit": options.limit}
    _print_table(api.get(f"/fields{path_of(options.field, 'values')}", parameters), options, output)


def _print_table(response: Mapping[str, Any], options: Namespace, output: Output) -> None:
    rows: Sequence[Mapping[str, Any]] = response["rows"]
    _remark_hints(response, output)
    if rows:
        output.write(table(rows, options.output, is_terminal=output.is_terminal))
    else:
        output.remark(f"No logs match from {options.start} to {options.end}.")
    if not response["complete"]:
        limit = f" (--limit {10 * len(rows)})" if getattr(options, "limit", None) == len(rows) else ""
        output.remark(f"{len(rows):,} rows; there are more, or the query timed out{limit}.")


def _range(options: Namespace, query: str) -> dict[str, Any]:
    return {"query": query, "start": options.start, "end": options.end, "timeout_ms": options.timeout_ms}


def _log_writer(options: Namespace, output: Output) -> LogWriter:
    return LogWriter(
        options.output,
        is_terminal=output.is_terminal,
        in_colour=output.in_colour,
        are_chosen=bool(getattr(options, "fields", "")),
    )


def _remark_hints(response: Mapping[str, Any], output: Output) -> None:
    for hint in response.get("hints") or ():
        for line in hint_lines(hint):
            output.remark(line)


_COMMANDS: Final[Mapping[str, Callable[[Queries, Namespace, str, Output], None]]] = {
    "query": _query,
    "stats": _stats,
    "histogram": _histogram,
    "fields": _fields,
    "values": _values,
    "context": _context,
}

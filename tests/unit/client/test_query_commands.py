"""Commands that query a running service, on an API in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app.client.api import Api, ApiError, Unreachable
from app.client.commands import Output, run_on
from app.client.follow import Tail
from app.client.problems import problem_lines
from app.commands.arguments import parse
from local.paths import ROOT

LOG = {"id": "1-0-5-0-t", "timestamp": "2026-11-24T10:00:00Z", "level": "ERROR", "service": "checkout", "message": "x"}


class MemoryApi:
    """Gives out responses, or raises them, and keeps the requests."""

    def __init__(self, *responses: dict[str, Any] | Exception, events: str = "") -> None:
        self._responses = list(responses)
        self._events = events
        self.requests: list[tuple[str, Mapping[str, Any]]] = []

    def get(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.requests.append((path, parameters))
        response = self._responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    def stream(self, path: str, parameters: Mapping[str, Any], last_id: str) -> Iterator[bytes]:
        yield from self._events.encode().splitlines(keepends=True)
        raise KeyboardInterrupt


def page(*rows: dict[str, Any], complete: bool = True, **more: Any) -> dict[str, Any]:
    return {"rows": [*rows], "complete": complete, **more}


def run(api: MemoryApi, *arguments: str, is_terminal: bool = False) -> tuple[int, list[str], list[str]]:
    """The exit code, what was written, and the remarks."""
    written: list[str] = []
    remarks: list[str] = []
    code = run_on(api, parse(arguments), Output(written.append, remarks.append, is_terminal, in_colour=False))
    return code, written, remarks


def test_the_newest_logs_come_last() -> None:
    api = MemoryApi(page(LOG | {"message": "new"}, LOG | {"message": "old"}))

    _, written, remarks = run(api, "query", "-level:info", "x", "--since", "90m", "-o", "raw")

    assert (written, remarks) == (["old", "new"], [])
    assert api.requests[0][1].items() >= {"query": "-level:info x", "start": "now-90m", "limit": 50}.items()


def test_what_was_left_out_is_said_after_the_logs() -> None:
    _, _, [remark] = run(MemoryApi(page(LOG, next_cursor="c")), "query", "--limit", "1")

    assert remark == "1 newest log; more: --limit 10, or the older ones: --cursor 'c'"


def test_a_high_limit_is_read_page_by_page() -> None:
    api = MemoryApi(page(*[LOG] * 5_000, next_cursor="c"), page(*[LOG] * 1_000))

    _, written, remarks = run(api, "query", "--limit", "6000", "-o", "raw")

    assert (len(written), remarks) == (6_000, [])
    assert [request["cursor"] for _, request in api.requests] == [None, "c"]


def test_nothing_found_is_said_with_the_range() -> None:
    assert run(MemoryApi(page()), "query", "x")[1:] == ([], ["No logs match from now-1h to now."])
    assert run(MemoryApi(page()), "values", "user_id", "--since", "2d")[2] == ["No logs match from now-2d to now."]


def test_a_search_that_timed_out_can_be_continued() -> None:
    assert "--cursor 'c'" in run(MemoryApi(page(LOG, complete=False, next_cursor="c")), "query")[2][0]


@pytest.mark.parametrize(
    ("hint", "lines"),
    [
        ({"message": "no log has servce", "query": "service:web"}, ["Hint: no log has servce", "      service:web"]),
        ({"message": "no log has servce"}, ["Hint: no log has servce"]),
    ],
)
def test_hints_are_lines(hint: Any, lines: list[str]) -> None:
    assert run(MemoryApi(page(LOG, hints=[hint])), "query", "servce:web")[2] == lines
    assert run(MemoryApi(page({"count": 0}, hints=[hint])), "stats", "servce:web")[2] == lines


@pytest.mark.parametrize(
    ("query", "position", "lines"),
    [
        ("level:error (payment", 12, ["level:error (payment", "            ^"]),
        ("a\nb (c", 4, ["b (c", "  ^"]),
        ("a\x1b[2J (c", 6, ["a\\x1b[2J (c", "         ^"]),
        ("日本 (", 3, ["日本 (", "     ^"]),
        ("a\u202eb (", 4, ["a\\u202eb (", "         ^"]),
        ("(", 1, ["(", " ^"]),
    ],
)
def test_an_error_is_marked_below_its_line(query: str, position: int, lines: list[str]) -> None:
    error = ApiError(400, {"message": "not closed", "parameter": "query", "position": position})

    code, written, remarks = run(MemoryApi(error), "query", query)

    assert (code, written) == (2, [])
    assert remarks == [*lines, "not closed"]


def test_an_error_of_another_parameter_names_the_option() -> None:
    error = ApiError(400, {"message": "yesterday is not a time", "parameter": "start"})

    assert run(MemoryApi(error), "query", "--since", "yesterday")[2] == ["--since: yesterday is not a time"]


def test_a_service_that_is_not_reached_is_an_error() -> None:
    assert run(MemoryApi(Unreachable("not reached")), "fields") == (2, [], ["not reached"])


EVIL = "a\x1b]0;title\x07\u202eb\x9bc\u2066\x7f"
ESCAPED = r"a\x1b]0;title\x07\u202eb\x9bc\u2066\x7f"


@pytest.mark.parametrize(
    ("arguments", "is_terminal", "is_escaped"),
    [
        (["query"], True, True),
        (["query"], False, True),
        (["query", "-o", "raw"], True, True),
        (["query", "-o", "raw"], False, False),
        (["query", "-o", "csv"], True, True),
        (["query", "-o", "csv"], False, False),
        (["context", "1"], False, True),
        (["values", "message"], False, True),
        (["stats", "--by", "message"], True, True),
        (["stats", "--by", "message", "-o", "csv"], True, True),
    ],
)
def test_what_would_harm_a_terminal_is_escaped(arguments: list[str], is_terminal: bool, is_escaped: bool) -> None:
    rows = page(LOG | {"message": EVIL, EVIL: EVIL})

    text = "\n".join(run(MemoryApi(rows), *arguments, is_terminal=is_terminal)[1])

    assert (EVIL in text) != is_escaped
    assert (ESCAPED in text) == is_escaped


def test_json_on_a_terminal_is_ascii() -> None:
    assert run(MemoryApi(page(LOG | {"message": EVIL})), "query", "--json", is_terminal=True)[1][0].isascii()


def test_a_formula_is_no_formula_in_csv() -> None:
    rows = page({"value": "=cmd()", "count": 2}, {"value": "-1+1", "count": -1})

    assert run(MemoryApi(rows), "values", "x", "-o", "csv")[1] == ["value,count\n'=cmd(),2\n'-1+1,-1"]


def test_numbers_are_on_the_right_and_nothing_is_a_dash() -> None:
    rows = page({"service": "web", "avg": 12.5, "count": 1_234}, {"service": "checkout", "avg": None, "count": 5})

    assert run(MemoryApi(rows), "stats")[1][0].splitlines() == [
        "service    avg  count",
        "web       12.5  1,234",
        "checkout     -      5",
    ]


def test_logs_are_followed_without_repeating_those_that_were_found() -> None:
    events = [f"id: 2\ndata: {json.dumps(log)}\n\n" for log in (LOG, LOG | {"id": "2", "message": "new"})]
    api = MemoryApi(page(LOG), events="retry: 2000\nid: 1\nevent: ready\ndata: {}\n\n" + "".join(events))
    written: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        run_on(api, parse(["query", "-f", "-o", "raw"]), Output(written.append, print, False, in_colour=False))

    assert written == ["x", "new"]


def test_a_stream_continues_after_the_last_complete_event() -> None:
    streams: list[list[bytes] | Exception] = [
        [b"id: 1\n", b"event: ready\n", b"data: {}\n", b"\n", b"id: 2\n", b"data: {}\n", b"\n", b"id: 3\n"],
        ApiError(503, {"message": "ClickHouse is unavailable."}),
        [b": heartbeat\n", b"id: 4\n", b"\n"],
        ApiError(400, {"message": "no"}),
    ]
    last_ids: list[str] = []
    reports: list[str] = []
    pauses: list[float] = []

    def open_stream(last_id: str) -> Iterator[bytes]:
        last_ids.append(last_id)
        stream = streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        yield from stream

    with pytest.raises(ApiError):
        list(Tail(open_stream, reports.append, sleep=pauses.append).events())

    assert last_ids == ["", "2", "2", "4"]
    assert "(ClickHouse is unavailable); retrying" in reports[1]
    assert pauses == [2, 4, 8]


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:b", "http://a/?x=1", "http://user:secret@a"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL such as"):
        Api(url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_token_is_said_with_the_way_to_give_one(status: int) -> None:
    error = ApiError(status, {"message": "This needs a token."})

    first, second = problem_lines(error, "")

    assert first == "This needs a token."
    assert "LOG_ANALYTICS_TOKEN_FILE" in second


def test_a_url_needs_no_scheme() -> None:
    assert Api("localhost:8080").url == "http://localhost:8080"


def test_a_query_needs_only_the_standard_library() -> None:
    """Everything else takes longer to import than the query takes."""
    code = (
        "import sys; sys.argv = ['app', 'query', '--url', 'ftp://x']; from app.__main__ import main;"
        "assert main(sys.argv[1:]) == 2;"
        "print(*sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip

    assert not {"pydantic", "pyarrow", "flask", "kafka", "clickhouse_connect", "lark"} & set(done.stdout.split())

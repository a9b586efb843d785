"""The same rows in the service's table and in VictoriaLogs, and the same questions to both, in turn."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, Final
from urllib.parse import urlsplit

from bench.api_client import ApiClient
from bench.errors import BenchError
from bench.history import DAYS, prepare_history
from bench.latency import quantile
from bench.peer_questions import Question
from bench.peers import VictoriaLogs, bytes_on_disk, running_victoria_logs
from bench.processes import cpu_secs, peak_memory_mb
from bench.query_kinds import SearchValues, sample_search_values
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import DATABASE, BenchStack

_SEED: Final = 11
_WARM_UP: Final = 5
_MOST_SECS: Final = 30.0  # for one question: what takes seconds is asked less often, but
_LEAST_SAMPLES: Final = 5
_ROWS_AT_ONCE: Final = 200_000
_MILLION: Final = 1e6
_IDLE_CPU_SECS, _IDLE_SECS, _SETTLE_SECS = 0.2, 2.0, 240.0

# A row as an object with VictoriaLogs' keys; the same values as the API returns.
_FIELDS: Final = """
formatDateTime(Timestamp, '%Y-%m-%dT%H:%i:%S.', 'UTC')
    || leftPad(toString(toUnixTimestamp64Nano(Timestamp) % 1000000000), 9, '0') || 'Z' AS _time,
Body AS _msg, ServiceName AS service, lower(SeverityText) AS level, TraceId AS trace_id, SpanId AS span_id,
UserId AS user_id, if(isNull(ResponseTimeMs), '', toString(ResponseTimeMs)) AS response_time_ms,
ResourceAttributes['host.name'] AS `host.name`, ResourceAttributes['service.version'] AS `service.version`,
LogAttributes['http.method'] AS `http.method`, LogAttributes['http.route'] AS `http.route`,
LogAttributes['http.status_code'] AS `http.status_code`, LogAttributes['thread'] AS thread
"""

Rounds = dict[str, list[Measurements]]
"""What was measured of each kind of question, a round at a time."""


def compare_queries(
    stack: BenchStack,
    program: Path,
    python: str,
    rows: int,
    asked: Sequence[Question],
    *,
    directory: Path,
    rounds: int,
    samples: int,
) -> dict[str, Any]:
    """Ask both, with `rows` rows of history, every question `rounds` times `samples` times.

    Rows that the engine's table or `directory`, where VictoriaLogs keeps its own, have already are not stored again.

    Raises:
        BenchError: one of them refuses rows or a question, or lacks rows.
    """
    table = f"history_{rows}"
    prepare_history(stack, table, rows)
    topic = f"nothing_{rows}"
    stack.create_topic(topic)
    with running_victoria_logs(program, directory, stack.directory / f"victoria_logs_{rows}.log") as peer:
        stored = {} if peer.count() == rows else _store_in_peer(stack, table, rows, peer)
        rng = Random(_SEED)
        values = sample_search_values(stack, table, rows, rng)
        with running_service(stack, Program(python), topic, table) as service:
            client = ApiClient(urlsplit(service.url).port or 0)
            asking = _Asking(client, peer, values, rng)
            timings = asking.ask_all(asked, rounds, samples)
            client.close()
            memory = {
                "service_peak_memory_mb": peak_memory_mb(service.pid),
                "engine_peak_memory_mb": peak_memory_mb(stack.engine.pid),
                "victoria_logs_peak_memory_mb": peak_memory_mb(peer.process.pid),
            }
    sizes = {f"service_bytes_per_row_{name}": size for name, size in stack.bytes_per_row(table).items()}
    sizes["victoria_logs_bytes_per_row"] = bytes_on_disk(directory) / rows
    return {"rows": rows, **stored, **sizes, **memory, "kinds": timings}


class _Asking:
    """Asks both the same questions, one after the other, over a connection to each."""

    def __init__(self, client: ApiClient, peer: VictoriaLogs, values: SearchValues, rng: Random) -> None:
        self._client = client
        self._peer = peer
        self._values = values
        self._rng = rng

    def ask_all(self, asked: Sequence[Question], rounds: int, samples: int) -> Rounds:
        """Every question in each round."""
        timings: Rounds = {question.name: [] for question in asked}
        for number in range(1, rounds + 1):
            for question in asked:
                self._ask(question, min(_WARM_UP, samples))
                timings[question.name].append(found := self._ask(question, samples))
                print(f"    round {number}: {question.name}: {_line(found)}", flush=True)
        return timings

    def _ask(self, question: Question, samples: int) -> Measurements:
        own, theirs = [], []
        own_rows, their_rows = [], []
        deadline = time.monotonic() + _MOST_SECS
        for number in range(samples):
            if number >= _LEAST_SAMPLES and time.monotonic() > deadline:
                break
            mine, other = question.requests(self._rng, self._values)
            for is_own in (True, False) if number % 2 else (False, True):
                if is_own:
                    sample = self._client.query(*mine)
                    own.append(sample.millis)
                    own_rows.append(sample.row_count)
                else:
                    began = time.perf_counter()
                    body = self._peer.get(*other)
                    theirs.append((time.perf_counter() - began) * 1000)
                    their_rows.append(_row_count(body))
        rows = {"service_rows": fmean(own_rows), "victoria_logs_rows": fmean(their_rows)}
        return _summary(own, theirs) | rows | {"samples": float(len(own))}


def _summary(own: Sequence[float], theirs: Sequence[float]) -> Measurements:
    measurements: Measurements = {}
    for name, millis in (("service", sorted(own)), ("victoria_logs", sorted(theirs))):
        measurements |= {f"{name}_p50_ms": quantile(millis, 0.5), f"{name}_p99_ms": quantile(millis, 0.99)}
    for share in ("p50", "p99"):
        measurements[f"ratio_{share}"] = measurements[f"service_{share}_ms"] / measurements[f"victoria_logs_{share}_ms"]
    return measurements


def _line(found: Measurements) -> str:
    return (
        f"p50 {found['service_p50_ms']:.1f} and {found['victoria_logs_p50_ms']:.1f} ms,"
        f" p99 {found['service_p99_ms']:.1f} and {found['victoria_logs_p99_ms']:.1f} ms,"
        f" rows {found['service_rows']:.0f} and {found['victoria_logs_rows']:.0f}"
    )


def _row_count(body: bytes) -> int:
    """Rows in a response of VictoriaLogs: lines, or the series of /hits."""
    if body.startswith(b'{"hits":'):
        return len(json.loads(body)["hits"])
    return body.count(b"\n")


def _store_in_peer(stack: BenchStack, table: str, rows: int, peer: VictoriaLogs) -> Measurements:
    """Copy the rows of the table, merge them there, and check that all are there."""
    before = cpu_secs(peer.process.pid)
    for body in _bodies(stack, table, rows):
        peer.insert(body)
    peer.get("/internal/force_flush", {})
    stored = cpu_secs(peer.process.pid)
    peer.get("/internal/force_merge", {})
    _wait_until_idle(peer)
    if (count := peer.count()) != rows:
        raise BenchError(f"VictoriaLogs has {count:,} of {rows:,} rows")
    return {
        "victoria_logs_insert_cpu_secs_per_million": (stored - before) / rows * _MILLION,
        "victoria_logs_insert_cpu_secs_per_million_merged": (cpu_secs(peer.process.pid) - before) / rows * _MILLION,
    }


def _bodies(stack: BenchStack, table: str, rows: int) -> Iterator[bytes]:
    """The rows as JSON lines, a day or some hours of it at a time."""
    source = f"`{DATABASE}`.`{table}`"
    hours = max(1, min(24, 24 * _ROWS_AT_ONCE * DAYS // rows))
    for day in stack.query(f"SELECT DISTINCT toDate(Timestamp) AS day FROM {source} ORDER BY day").split():
        for hour in range(0, 24, hours):
            start = f"toDateTime64('{day}', 9, 'UTC') + toIntervalHour({hour})"
            end = f"least({start} + toIntervalHour({hours}), toDateTime64('{day}', 9, 'UTC') + toIntervalDay(1))"
            sql = f"SELECT {_FIELDS} FROM {source} WHERE Timestamp >= {start} AND Timestamp < {end} FORMAT JSONEachRow"
            if body := stack.post(sql.encode(), {}):
                yield body


def _wait_until_idle(peer: VictoriaLogs) -> None:
    """Wait until it uses no more CPU: its merges have ended."""
    deadline = time.monotonic() + _SETTLE_SECS
    used = cpu_secs(peer.process.pid)
    while time.monotonic() < deadline:
        time.sleep(_IDLE_SECS)
        before, used = used, cpu_secs(peer.process.pid)
        if used - before < _IDLE_CPU_SECS:
            return
    print("    VictoriaLogs was still merging when it was asked", file=sys.stderr)

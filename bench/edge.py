"""`python -m bench.edge`: memory, probes and ingestion of the service while too many clients want too much of it.

The table is filled with usual and with long rows; then the service is started afresh and measured idle, with ingestion
alone, and with all clients of `edge_clients.KINDS` beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from bench.cgroup import MemoryCgroup, memory_cgroup
from bench.command import RESULTS, circumstances, circumstances_as_context, conclude, positive, run
from bench.drain import exactness
from bench.edge_clients import KINDS, NICE, Tally, crowd, probe
from bench.edge_report import REPORT, memory_measurements, millis_measurements, tally_as_context, tally_measurements
from bench.latency import latencies_of, quantile
from bench.machine import interpreter
from bench.polling import polling
from bench.processes import Memory, memory_of_tree, peak_memory_mb
from bench.report import Measurements
from bench.service import Program, running_service
from bench.stack import PARTITIONS, BenchStack, running_stack
from bench.workload import EVENTS_PER_SEC, load, send_all, send_steadily
from local.service import Scrape, ServiceProcess

_TABLE: Final = "edge"
_USUAL_ROWS, _LONG_ROWS, _LONG_CHARS = 200_000, 11_000, 5_000
_FILLED: Final = _USUAL_ROWS + _LONG_ROWS
_SECS: Final = 60
_QUICK_SECS, _QUICK_RATE = 5, 1000
_TIMEOUT_SECS: Final = 120.0
_LIMIT_BYTES: Final = 512_000_000
_MEMORY_EVERY_SECS: Final = 1.0  # the kernel holds up the allocations of a process while it adds its pages
_PROBE_EVERY_SECS: Final = 0.2
_SETTINGS: Final[Mapping[str, str]] = {
    "KAFKA_GROUP_ID": "bench-edge",  # the second start goes on where the first one ended
    # All clients have one address, so its share must be everything; connections of an address need no more than 512.
    "QUERY_MAX_STREAMS": str(KINDS["exports"] + KINDS["tails"]),
    "QUERY_MAX_SHARE_PERCENT": "100",
    "HTTP_THREADS": "72",  # must be more than the streams
}


def main(arguments: list[str]) -> int:
    """Measure, print and store. Returns 1 if a limit was missed, 2 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge", description="The service under too many clients.")
    parser.add_argument("--secs", type=positive, default=_SECS, help=f"with all clients (default: {_SECS})")
    parser.add_argument("--rate", type=positive, default=EVENTS_PER_SEC, help="events/s sent meanwhile")
    parser.add_argument("--without", nargs="+", choices=list(KINDS), default=[], help="leave these clients out")
    parser.add_argument("--tail-query", default="level:error", help="what the tails follow (default: level:error)")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it works; nothing is stored")
    parser.add_argument("--service-python", default=sys.executable, help="interpreter of the service")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    options = parser.parse_args(arguments)
    if options.quick:
        options.secs, options.rate = min(options.secs, _QUICK_SECS), min(options.rate, _QUICK_RATE)
    return run(partial(_measure, options))


def _measure(options: argparse.Namespace) -> int:
    interpreter(options.service_python)
    program = Program(options.service_python)
    with running_stack() as stack, ProcessPoolExecutor(3, mp_context=get_context("spawn")) as helpers:
        stack.create_topic(_TABLE)
        _fill(stack, program)
        with memory_cgroup(_LIMIT_BYTES) as cgroup, ExitStack() as running:
            with cgroup.inside() if cgroup else nullcontext():
                service = running.enter_context(running_service(stack, program, _TABLE, _TABLE, _SETTINGS))
            measurements, tally = _Measurement(stack, service, helpers, options).run()
            limited = _limited(cgroup)
        command = ["bench.edge", "--secs", str(options.secs), "--rate", str(options.rate)]
        command += ["--tail-query", options.tail_query] + ["--without", *options.without] * bool(options.without)
        about = circumstances(stack, command)
    context = _context(about, options, tally, limited)
    print("", *(f"{name}: {text}" for name, text in context.items()), sep="\n")
    details = about | {"settings": dict(_SETTINGS), "statuses": dict(tally.statuses), "received": dict(tally.received)}
    return conclude(REPORT, options, context, details, [measurements])


def _limited(cgroup: MemoryCgroup | None) -> str:
    if cgroup is None:
        return "no cgroup limits it"
    return (
        f"a cgroup of {_LIMIT_BYTES / 1e6:,.0f} MB limits them, which held {cgroup.peak_mb:,.0f} MB at most, with files"
    )


def _fill(stack: BenchStack, program: Program) -> None:
    """Store usual rows and then long ones, by a service that ends afterwards: its memory is not measured."""
    print(f"Storing {_USUAL_ROWS:,} usual and {_LONG_ROWS:,} long rows ...", flush=True)
    servers = stack.kafka.bootstrap_servers
    load(servers, _TABLE, _USUAL_ROWS)
    with running_service(stack, program, _TABLE, _TABLE, _SETTINGS) as service:
        send_all(servers, _TABLE, _long_events())
        service.wait_until_stored(_FILLED, _TIMEOUT_SECS)


def _long_events() -> Iterator[bytes]:
    """Events with a message that no compression makes short; without a time of their own they are the newest."""
    chance = Random(_LONG_ROWS)
    for number in range(_LONG_ROWS):
        text = chance.randbytes(_LONG_CHARS // 2).hex()
        yield json.dumps({"service": "long", "level": "INFO", "message": f"{number} {text}"}).encode()


class _Measurement:
    """The three phases, one after another on the same process."""

    def __init__(
        self, stack: BenchStack, service: ServiceProcess, helpers: ProcessPoolExecutor, options: argparse.Namespace
    ) -> None:
        self._stack = stack
        self._service = service
        self._helpers = helpers
        self._options = options
        self._port = urlsplit(service.url).port or 0
        self._filled_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._memory: list[Memory] = []
        self._sent = _FILLED

    def run(self) -> tuple[Measurements, Tally]:
        """All phases.

        Raises:
            BenchError, LocalError: the service ended or does not keep up at all.
        """
        self._service.wait_until(lambda scrape: scrape.assigned == PARTITIONS, _TIMEOUT_SECS)
        quiet_secs, found = max(2.0, self._options.secs / 3), Measurements()
        with polling(self._see_memory, _MEMORY_EVERY_SECS):
            with self._phase("idle", found):
                self._probes(quiet_secs / 2).result()
            with self._phase("ingestion", found):
                probes = self._probes(quiet_secs)
                self._send(quiet_secs).result()
                found |= millis_measurements("ingestion", probes.result())
            self._wait_until_stored()
            with self._phase("everything", found):
                under_load, tally = self._everything()
                found |= under_load
        found["memory_peak_rss_mb"] = peak_memory_mb(self._service.pid)
        return found | exactness(self._stack, _TABLE, self._sent), tally

    @contextmanager
    def _phase(self, name: str, found: Measurements) -> Iterator[None]:
        """Add the memory of a phase to what was found."""
        print(f"Measuring: {name} ...", flush=True)
        first = len(self._memory)
        yield
        self._see_memory()
        found |= memory_measurements(name, self._memory[first:])

    def _see_memory(self) -> None:
        self._memory.append(memory_of_tree(self._service.pid))

    def _everything(self) -> tuple[Measurements, Tally]:
        before, ends = self._service.scrape(), set[float]()
        options = self._options
        kinds = [kind for kind in KINDS if kind not in options.without]
        with polling(lambda: ends.add(self._service.scrape().stored_at), _PROBE_EVERY_SECS):
            clients = self._helpers.submit(
                crowd, self._port, kinds, self._filled_at, options.tail_query, float(options.secs)
            )
            probes = self._probes(options.secs)
            sent_per_sec = self._send(options.secs).result()
            seen = self._service.scrape()
            tally, millis = clients.result(), probes.result()
            after = self._wait_until_stored()
        ends.add(after.stored_at)
        ends.discard(before.stored_at)
        lags = sorted(latencies_of(self._stack, _TABLE, _TABLE, before.stored_at, sorted(ends)))
        measurements = millis_measurements("everything", millis) | tally_measurements(tally)
        return measurements | {
            "sent_per_sec": sent_per_sec,
            "behind_secs": (self._sent - _FILLED - seen.stored) / options.rate,
            "lag_p50_secs": quantile(lags, 0.5),
            "lag_p99_secs": quantile(lags, 0.99),
            "lag_max_secs": lags[-1],
        }, tally

    def _wait_until_stored(self) -> Scrape:
        """Wait until all is stored that was sent while this process runs."""
        return self._service.wait_until_stored(self._sent - _FILLED, _TIMEOUT_SECS, every_secs=_PROBE_EVERY_SECS)

    def _send(self, secs: float) -> Future[float]:
        rate = self._options.rate
        self._sent += round(rate * secs)
        return self._helpers.submit(send_steadily, self._stack.kafka.bootstrap_servers, _TABLE, rate, secs)

    def _probes(self, secs: float) -> Future[list[float | None]]:
        return self._helpers.submit(probe, self._port, "/live", _PROBE_EVERY_SECS, secs)


def _context(about: Mapping[str, Any], options: argparse.Namespace, tally: Tally, limited: str) -> dict[str, str]:
    settings = ", ".join(f"`{name}={value}`" for name, value in _SETTINGS.items() if not name.startswith("KAFKA_"))
    return (
        circumstances_as_context(about)
        | {
            "Table": f"{_USUAL_ROWS:,} usual rows, then {_LONG_ROWS:,} with a message of {_LONG_CHARS:,} characters,"
            " the newest of those that pages and exports read",
            "Load": f"{options.rate:,} events/s from a process of its own, for {options.secs} s with all clients; "
            + _clients(options.without, options.tail_query),
            "Settings": f"{settings}, for that many streams of one address; all others as shipped",
            "Memory": f"summed PSS of the service's processes, every {_MEMORY_EVERY_SECS:.0f} s, in 10^6 bytes; "
            + limited,
            "Priority": f"the clients, all in one process, run with a niceness of {NICE}, and nothing else does",
        }
        | tally_as_context(tally)
    )


def _clients(without: Sequence[str], tail_query: str) -> str:
    texts = {
        "pages": "clients that do not read their page of 10,000 logs",
        "exports": "exports of all logs (NDJSON, CSV) that are read at 4 kB/s",
        "tails": f"live tails of `{tail_query}` that are read at once",
        "queries": "clients that always want a search or a histogram, and again a second after a refusal",
    }
    return ", ".join(f"{KINDS[kind]} {text}" for kind, text in texts.items() if kind not in without) or "no clients"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

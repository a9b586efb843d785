"""The measures, each bounded in time: what a server does with the clients of `clients`."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.http_servers.child import Child, Ground, running
from bench.http_servers.clients import (
    LIVE,
    Patience,
    busy_clients,
    crowd,
    probe_live,
    read_until,
)
from bench.http_servers.contestants import Contestant
from bench.latency import quantile
from local.ports import LOOPBACK

Found = dict[str, Any]

_TAIL: Final = b"GET /tail HTTP/1.1\r\nHost: bench\r\n\r\n"
_HALF_HEADERS: Final = b"GET /live HTTP/1.1\r\nHost: bench\r\nX-Slow: "
_SMALL_BUFFER: Final = 4096
_CLOSE_SECS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything: of clients, and of seconds."""

    idle: int = 1000
    slow: int = 200
    tails: int = 20
    settle_secs: float = 1.5
    """Before /live is asked: what many connections at once cost is another question."""
    probe_secs: float = 2.5
    work_secs: float = 1.5
    patience_secs: float = 70.0
    stop_secs: float = 10.0


QUICK: Final = Scale(idle=100, slow=60, settle_secs=0.5, probe_secs=1.0, work_secs=0.3, patience_secs=8.0)


def measured(ground: Ground, contestant: Contestant, scale: Scale) -> Found:
    """All figures of one server, except those of `Patiences`."""
    name = contestant.name
    found: Found = {"busy": _busy_share()}
    with running(ground, name) as child:
        found["live"] = _probed(child, scale)
        found |= _chunked(child)
        found |= _seen_gone(child)
        found |= _big_body(child)
    for kind, people in _CROWDS.items():
        with running(ground, name) as child, people(child, scale):
            time.sleep(scale.settle_secs)
            found[kind] = _probed(child, scale)
    with running(ground, name) as child:
        found |= _unread_answers(child)
    with running(ground, name) as child:
        found |= _tails(child, scale)
    with running(ground, name) as child:
        found |= _work(child, scale)
    with running(ground, name) as child:
        found |= _stop(child, scale)
    found |= _tls(ground, contestant)
    found |= _websocket(ground, contestant)
    return found


def _busy_share() -> float:
    """The share of all cores that is in use while nothing is measured."""
    idle, total = _idle_and_total_ticks()
    time.sleep(1)
    idle_then, total_then = _idle_and_total_ticks()
    return round(1 - (idle_then - idle) / (total_then - total), 2)


def _idle_and_total_ticks() -> tuple[int, int]:
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks)


def _probed(child: Child, scale: Scale) -> Found:
    probes = probe_live(child.port, scale.probe_secs)
    return {
        "p50_ms": probes.quantile_ms(0.5),
        "p99_ms": probes.quantile_ms(0.99),
        "probes": len(probes.secs),
        "unanswered": probes.unanswered,
    }


@contextmanager
def _idle(child: Child, scale: Scale) -> Iterator[None]:
    """Half of them asked once and stay, half never said anything."""
    half = scale.idle // 2
    with crowd(child.port, half, LIVE), crowd(child.port, scale.idle - half, b""):
        yield


@contextmanager
def _slow_headers(child: Child, scale: Scale) -> Iterator[None]:
    with crowd(child.port, scale.slow, _HALF_HEADERS, drip=b"a"):
        yield


@contextmanager
def _slow_bodies(child: Child, scale: Scale) -> Iterator[None]:
    with crowd(child.port, scale.slow, _post(1_000_000), drip=b"a" * 1000):
        yield


@contextmanager
def _slow_readers(child: Child, scale: Scale) -> Iterator[None]:
    """The system's buffers take 2 to 3 MB of an answer on loopback: with less, no server would notice anything."""
    with crowd(child.port, scale.slow, _get_bytes(5_000_000), receive_buffer=_SMALL_BUFFER):
        time.sleep(scale.settle_secs * 2.5)
        yield


_CROWDS: Final = {
    "live_idle": _idle,
    "live_slow_headers": _slow_headers,
    "live_slow_bodies": _slow_bodies,
    "live_slow_readers": _slow_readers,
}


def _post(size: int) -> bytes:
    return f"POST /body HTTP/1.1\r\nHost: bench\r\nContent-Length: {size}\r\n\r\n".encode()


def _get_bytes(size: int) -> bytes:
    return f"GET /answer?bytes={size} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def _chunked(child: Child) -> Found:
    """Bytes that the application gets of a body of 5 bytes without a declared length."""
    head = b"POST /body HTTP/1.1\r\nHost: bench\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((LOOPBACK, child.port), 3) as client:
        client.sendall(head + b"5\r\nhello\r\n0\r\n\r\n")
        answer = read_until(client, lambda got: b"\r\n\r\n" in got, 3)
    bodies = child.state()["bodies"]
    return {"chunked": "arrives" if bodies[-1:] == [5] else "seen as empty" if bodies else _status(answer)}


def _status(answer: bytes) -> str:
    return f"refused ({answer.split(b' ')[1].decode()})" if answer.count(b" ") > 1 else "no answer"


def _big_body(child: Child) -> Found:
    """A body of 20 MB, looked at just before its last byte."""
    size = 20_000_000
    before = child.bytes_in_files(), child.bytes_written(), child.memory_kb()
    with socket.create_connection((LOOPBACK, child.port), 10) as client:
        client.sendall(_post(size) + b"a" * (size - 1))
        time.sleep(0.7)
        found = _since(child, before, "body")
        client.sendall(b"a")
        answer = read_until(client, lambda got: str(size).encode() in got, 5)
    return found | {"body_arrives": str(size).encode() in answer}


def _unread_answers(child: Child) -> Found:
    """20 answers of 5 MB that nobody reads, looked at when they have been sent as far as they can."""
    before = child.bytes_in_files(), child.bytes_written(), child.memory_kb()
    with crowd(child.port, 20, _get_bytes(5_000_000), receive_buffer=_SMALL_BUFFER):
        time.sleep(2)
        return _since(child, before, "answers")


def _since(child: Child, before: tuple[int, int, float], what: str) -> Found:
    in_files, written, memory_kb = before
    return {
        f"{what}_file_mb": round((child.bytes_in_files() - in_files) / 1e6, 1),
        f"{what}_written_mb": round((child.bytes_written() - written) / 1e6, 1),
        f"{what}_memory_mb": round((child.memory_kb() - memory_kb) / 1e3, 1),
    }


def _tails(child: Child, scale: Scale) -> Found:
    """Memory and threads of open tails, and how long they live on when all clients hang up."""
    with socket.create_connection((LOOPBACK, child.port), 3) as first:  # what only the first one costs is not counted
        first.sendall(_TAIL)
        read_until(first, lambda got: b"event" in got, 3)
        time.sleep(0.5)
        before = child.memory_kb()
        with crowd(child.port, scale.tails, _TAIL):
            opened = child.wait_for(lambda state: int(state["tails_open"]) > scale.tails, 5) or child.state()
            time.sleep(1.5)
            grown = child.memory_kb() - before
            threads = child.state()["tail_threads"] - (1 if opened["tail_threads"] else 0)
        left = time.monotonic()
        ended = child.wait_for(lambda state: len(state["tails_closed_at"]) >= scale.tails, 5)
    return {
        "tails_opened": opened["tails_open"] - 1,
        "kb_per_tail": round(grown / scale.tails, 1),
        "threads_per_tail": round(threads / scale.tails, 2),
        "tail_ends_secs": round(sorted(ended["tails_closed_at"])[scale.tails - 1] - left, 2) if ended else None,
    }


def _seen_gone(child: Child) -> Found:
    """Seconds until a request at work can know that its client hung up."""
    with socket.create_connection((LOOPBACK, child.port), 3) as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: bench\r\n\r\n")
        time.sleep(0.5)
    left = time.monotonic()
    seen = child.wait_for(lambda state: bool(state["seen_gone_at"]), 1)
    return {"seen_gone_secs": round(max(0.0, seen["seen_gone_at"][0] - left), 2) if seen else None}


def _work(child: Child, scale: Scale) -> Found:
    """What /work costs with 8 connections, and what that leaves of the consumer's pace: the medians of 3 rounds."""
    alone = _consumer_pace(child, 2.0)
    busy_clients(child.port, "/work", 8, 0.3)
    rounds = [_work_round(child, scale.work_secs, alone) for _ in range(3)]
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def _work_round(child: Child, for_secs: float, pace_alone: float) -> dict[str, float]:
    cpu, cycles, began = child.cpu_secs_without_consumer(), child.state()["consumer_cycles"], time.monotonic()
    secs = sorted(busy_clients(child.port, "/work", 8, for_secs))
    took = time.monotonic() - began
    pace = (child.state()["consumer_cycles"] - cycles) / took
    return {
        "work_per_sec": round(len(secs) / took),
        "work_p50_ms": round(quantile(secs, 0.5) * 1000, 1),
        "work_p99_ms": round(quantile(secs, 0.99) * 1000, 1),
        "work_cpu_secs_per_1000": round((child.cpu_secs_without_consumer() - cpu) / len(secs) * 1000, 3),
        "consumer_pace": round(pace / pace_alone, 2),
    }


def _consumer_pace(child: Child, for_secs: float) -> float:
    cycles = int(child.state()["consumer_cycles"])
    time.sleep(for_secs)
    return (int(child.state()["consumer_cycles"]) - cycles) / for_secs


def _stop(child: Child, scale: Scale) -> Found:
    """Seconds from SIGTERM to the end of the process, with an open tail and an idle connection that asked once."""
    with ExitStack() as clients:
        tail, idle = (clients.enter_context(socket.create_connection((LOOPBACK, child.port), 3)) for _ in range(2))
        tail.sendall(_TAIL)
        read_until(tail, lambda got: b"event" in got, 3)
        idle.sendall(LIVE)
        read_until(idle, lambda got: b"ok" in got, 3)
        began = time.monotonic()
        child.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(scale.stop_secs)
            return {"stop_secs": round(time.monotonic() - began, 2)}
    return {"stop_secs": None}


def _tls(ground: Ground, contestant: Contestant) -> Found:
    """An HTTPS request, alone and beside 50 connections that never begin their handshake."""
    if not contestant.has_tls:
        return {"tls": False, "tls_beside_silent": None}
    with running(ground, contestant.name, with_tls=True) as child:
        alone = _https(child.port)
        with crowd(child.port, 50, b""):
            time.sleep(0.3)
            return {"tls": alone, "tls_beside_silent": _https(child.port)}


def _https(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        suppress(OSError),
        socket.create_connection((LOOPBACK, port), 3) as plain,
        context.wrap_socket(plain) as client,
    ):
        client.sendall(LIVE)
        return read_until(client, lambda got: b"ok" in got, 3).startswith(b"HTTP/1.1 200")
    return False


def _websocket(ground: Ground, contestant: Contestant) -> Found:
    """Whether a handshake is accepted and a message comes back."""
    if contestant.websocket is None:
        return {"websocket": False}
    key = base64.b64encode(bytes(16)).decode()
    head = (
        "GET /live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    hello = bytes((0x81, 0x82, 0, 0, 0, 0)) + b"hi"
    with (
        running(ground, contestant.name, is_websocket=True) as child,
        socket.create_connection((LOOPBACK, child.port), 3) as client,
    ):
        client.sendall(head.encode())
        accepted = read_until(client, lambda got: b"\r\n\r\n" in got, 3).startswith(b"HTTP/1.1 101")
        client.sendall(hello)
        return {"websocket": accepted and read_until(client, lambda got: b"hi" in got, 3).endswith(b"hi")}


class Patiences:
    """All servers at once, without consumers: when they close connections that never complete their headers."""

    def __init__(self, ground: Ground, contestants: tuple[Contestant, ...], scale: Scale) -> None:
        self._ground, self._contestants, self._scale = ground, contestants, scale
        self._children = ExitStack()
        self._waiting: dict[tuple[str, str], Patience] = {}

    def __enter__(self) -> Patiences:
        """Start the servers and the clients."""
        with ExitStack() as children:
            for contestant in self._contestants:
                child = children.enter_context(running(self._ground, contestant.name, with_consumer=False))
                for kind, (first, drip) in _IMPATIENT.items():
                    patience = Patience(child.port, first, drip, self._scale.patience_secs)
                    patience.start()
                    self._waiting[contestant.name, kind] = patience
            self._children = children.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill the servers."""
        self._children.close()

    def found(self, name: str) -> Found:
        """Seconds by kind of client, when all have waited to the end."""
        for patience in self._waiting.values():
            patience.join()
        return {kind: patience.closed_after for (of, kind), patience in self._waiting.items() if of == name}


_IMPATIENT: Final = {
    "silent_closed_secs": (b"", b""),
    "half_closed_secs": (_HALF_HEADERS, b""),
    "dripping_closed_secs": (_HALF_HEADERS, b"a"),
}

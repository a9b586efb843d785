"""The table: a column for each server, a line for each measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from bench.http_servers.contestants import THREADS, Contestant
from bench.http_servers.measures import Found, Scale

_LIVE_LIMIT_MS: Final = 100
_STOP_LIMIT_SECS: Final = 8


def page(about: Mapping[str, Any], contestants: Sequence[Contestant], all_found: Mapping[str, Found]) -> Iterator[str]:
    """The lines of the page."""
    box, scale = about["machine"], Scale(**about["scale"])
    yield "# HTTP servers for the Flask application"
    yield ""
    yield f"- Date: {about['date']}"
    yield f"- Command: `{about['command']}`"
    yield f"- Machine: {box['processor']}, {box['cores']} cores, {box['system']}; Python {about['python']}"
    yield f"- {', '.join(about['packages'])}"
    yield (
        f"- Each measure has a fresh process: the server, with {THREADS} threads, beside a consumer that takes about"
        " 30 % of a core"
    )
    yield "- Loopback only; each once, /work three times (medians). CPU varies by a third between runs, times by more"
    yield f"- Wanted: /live within {_LIVE_LIMIT_MS} ms, nothing in files, the end within {_STOP_LIMIT_SECS} s"
    yield ""
    yield f"| What is measured | {' | '.join(contestant.label for contestant in contestants)} |"
    yield f"| --- |{' --- |' * len(contestants)}"
    for sentence, cell in _lines(scale):
        cells = (cell(all_found[contestant.name], contestant) for contestant in contestants)
        yield f"| {sentence} | {' | '.join(cells)} |"


_Cell = Callable[[Found, Contestant], str]


def _lines(scale: Scale) -> Iterator[tuple[str, _Cell]]:
    yield "How busy the cores were with other things, before this column", lambda found, _: f"{found['busy']:.0%}"
    yield "Runs in a thread of the process that has the consumer", lambda _, contestant: contestant.beside_consumer
    yield "/live, 99th percentile in ms, nothing else going on", _live("live")
    yield (
        f"/live beside {scale.idle:,} idle connections, of which half asked once and half never said a word",
        _live("live_idle"),
    )
    yield f"/live beside {scale.slow} clients that send their headers at 1 byte/s", _live("live_slow_headers")
    yield f"/live beside {scale.slow} clients that send a body of 1 MB at 1 kB/s", _live("live_slow_bodies")
    yield (
        f"/live beside {scale.slow} clients that do not read their answer of 5 MB, once it is sent as far as it goes",
        _live("live_slow_readers"),
    )
    yield "A body of 20 MB, before its last byte: MB in files; MB more memory", _places("body")
    yield "20 answers of 5 MB that nobody reads: MB in files; MB more memory", _places("answers")
    yield "Memory of an open tail, in kB (of 20)", lambda found, _: f"{found['kb_per_tail']:.0f}"
    yield "Threads that an open tail holds", lambda found, _: f"{found['threads_per_tail']:g}"
    yield (
        "Seconds from disconnecting to the end of the tail, which has an event every 0.5 s (the slowest of 20)",
        _secs("tail_ends_secs", "not within 5"),
    )
    yield "Seconds until a request at work can learn that its client disconnected", _secs("seen_gone_secs", "never")
    most = f"not within {scale.patience_secs:g}"
    yield "Seconds until a silent connection is closed", _secs("silent_closed_secs", most)
    yield "Seconds until half-sent headers are given up", _secs("half_closed_secs", most)
    yield "Seconds until headers at 1 byte/s are given up", _secs("dripping_closed_secs", most)
    yield "A chunked body, which has no declared length", lambda found, _: str(found["chunked"])
    yield "TLS on its own port: one HTTPS request", lambda found, _: _yes(found["tls"])
    yield (
        "The same beside 50 connections that never begin the handshake, within 3 s",
        lambda found, _: "" if found["tls_beside_silent"] is None else _yes(found["tls_beside_silent"]),
    )
    yield "WebSocket: a handshake and a message back", _websocket
    yield "Seconds from SIGTERM to the end, with an open tail and an idle connection", _stop(scale)
    yield "/work (2 kB of JSON) with 8 connections: requests/s", lambda found, _: f"{found['work_per_sec']:,}"
    yield (
        "/work: ms, median and 99th percentile",
        lambda found, _: f"{found['work_p50_ms']:g}; {found['work_p99_ms']:g}",
    )
    yield "/work: CPU seconds of 1,000 requests", lambda found, _: f"{found['work_cpu_secs_per_1000']:.2f}"
    yield "The consumer's pace beside /work, of its pace alone", lambda found, _: f"{found['consumer_pace']:.0%}"


def _live(kind: str) -> _Cell:
    def cell(found: Found, _: Contestant) -> str:
        probes = found[kind]
        if probes["unanswered"]:
            return f"**no answer** to {probes['unanswered']} of {probes['probes']}"
        return _marked(f"{probes['p99_ms']:.0f}", probes["p99_ms"] < _LIVE_LIMIT_MS)

    return cell


def _places(what: str) -> _Cell:
    def cell(found: Found, _: Contestant) -> str:
        in_files = max(found[f"{what}_file_mb"], found[f"{what}_written_mb"])
        return f"{_marked(f'{in_files:.0f}', in_files < 1)}; {found[f'{what}_memory_mb']:.0f}"

    return cell


def _secs(name: str, otherwise: str) -> _Cell:
    return lambda found, _: f"**{otherwise}**" if found[name] is None else f"{found[name]:.1f}"


def _stop(scale: Scale) -> _Cell:
    def cell(found: Found, _: Contestant) -> str:
        secs = found["stop_secs"]
        if secs is None:
            return f"**not within {scale.stop_secs:g}**"
        return _marked(f"{secs:.1f}", secs < _STOP_LIMIT_SECS)

    return cell


def _websocket(found: Found, contestant: Contestant) -> str:
    return f"yes, {contestant.websocket}" if found["websocket"] else "**no**"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "**no**"


def _marked(text: str, is_met: bool) -> str:
    return text if is_met else f"**{text}**"

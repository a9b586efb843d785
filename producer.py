"""Sends logs to Kafka: generated ones, or the lines of a file or of standard input."""

import argparse
import json
import logging
import math
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NamedTuple, Protocol, TextIO, get_args

from app.backends.kafka_publisher import Compression, KafkaPublisher, OnDone
from app.errors import BadSettings, Refused, TryAgainLater
from app.settings import KafkaSettings, Settings, misspelt
from local.sample_logs import SampleLogs

_DEFAULT_COUNT = 10_000
_TICK_SECS = 0.1
_REPORT_SECS = 5.0
_TOPIC_PATIENCE_SECS = 10.0
_CLOSE_SECS = 1.0
_NAMED_FAILURES = 10

_EXAMPLES = f"""\
examples:
  python producer.py                           {_DEFAULT_COUNT:,} generated events
  python producer.py --count 0 --rate 50       50 events a second until Ctrl-C
  python producer.py --key service             events of one service stay in order
  python producer.py --file /var/log/syslog    every line of a file
  tail -f app.log | python producer.py -       lines as they are written

Where Kafka is and how to log in there is read from the KAFKA_* variables, like in the service.

exit code: 0 every record was acknowledged (also when Ctrl-C ended an endless run),
  1 some were not, or Kafka was not reached, 2 bad options or settings,
  130 or 143 stopped by Ctrl-C or SIGTERM before the end of the input."""

_ADVICE = {
    "unreachable": "Is it running there? KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL say how it is reached.",
    "UnknownTopic": "The service makes it when it starts; or make it with kafka-topics.sh --create --topic NAME.",
}


class Publisher(Protocol):
    """What this program needs of KafkaPublisher."""

    def connect(self) -> int: ...

    def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> object: ...

    def close(self, timeout_secs: float) -> None: ...


class Line(NamedTuple):
    """One line of the input. `value` has no line end, and is None where it is longer than a record may be."""

    number: int
    value: bytes | None
    size_bytes: int  # as it was read


@dataclass
class Failures:
    """Records that failed for the same reason, the first few by number."""

    example: str
    count: int = 0
    numbers: list[int] = field(default_factory=list)


class Tally:
    """What became of the records. Counted by the thread that sends and by the client's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started_at: float | None = None
        self._settled_at: float | None = None
        self.read_bytes = 0
        self.empty_lines = 0
        self.without_key = 0
        self.sent = 0
        self.acknowledged = 0
        self.acknowledged_bytes = 0
        self.failed = 0
        self.failures: dict[str, Failures] = {}

    @property
    def in_flight(self) -> int:
        """Records whose fate is not known yet."""
        return self.sent - self.acknowledged - self.failed

    @property
    def seconds(self) -> float:
        """From the first record to the last answer; to now while answers are due."""
        if self._started_at is None:
            return 0.0
        until = self._settled_at if self._settled_at is not None and not self.in_flight else self._clock()
        return until - self._started_at

    @property
    def records_per_second(self) -> float:
        return self.acknowledged / self.seconds if self.seconds else 0.0

    def send(self) -> None:
        """One more record is about to be handed over."""
        if self._started_at is None:
            self._started_at = self._clock()
        self.sent += 1

    def settle(self, number: int, size_bytes: int, error: TryAgainLater | Refused | None) -> None:
        """The record with this number is acknowledged, or has failed."""
        with self._lock:
            self._settled_at = self._clock()
            if error is None:
                self.acknowledged += 1
                self.acknowledged_bytes += size_bytes
                return
            self.failed += 1
            failures = self.failures.setdefault(error.code, Failures(str(error)))
            failures.count += 1
            if len(failures.numbers) < _NAMED_FAILURES:
                failures.numbers.append(number)


class Pacer:
    """Spreads records evenly over time. After a hold-up it makes up for at most a second."""

    # A sleep takes a moment longer than asked for: at high rates a few records share one.
    _WORTH_SLEEPING_SECS = 0.002

    def __init__(self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._gap_secs = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    def wait(self) -> None:
        """Return when the next record is due."""
        if not self._gap_secs:
            return
        now = self._clock()
        due = now if self._due is None else max(self._due, now - 1.0)
        if due - now >= self._WORTH_SLEEPING_SECS:
            self._sleep(due - now)
        self._due = due + self._gap_secs


def read_lines(stream: BinaryIO, max_bytes: int) -> Iterator[Line]:
    r"""The lines of a stream, without their `\n` or `\r\n`, in constant memory and as soon as each is complete."""
    for number in count(1):
        raw = stream.readline(max_bytes + 2)
        if not raw:
            return
        if raw.endswith(b"\n"):
            yield Line(number, raw[:-1].removesuffix(b"\r"), len(raw))
        elif len(raw) < max_bytes + 2:
            yield Line(number, raw, len(raw))  # the last one
        else:
            yield Line(number, None, len(raw) + _skip_rest_of_line(stream))


def _skip_rest_of_line(stream: BinaryIO) -> int:
    skipped = 0
    while piece := stream.readline(64 * 1024):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def generated_lines(seed: int | None) -> Iterator[Line]:
    """Sample events without end."""
    return (Line(number, event, len(event)) for number, event in enumerate(SampleLogs(seed), start=1))


def key_from_field(name: str) -> Callable[[bytes], bytes | None]:
    """A function that finds a record's key: the value of this field where the record is a JSON object that has it."""

    def key_of(value: bytes) -> bytes | None:
        try:
            event = json.loads(value)
        except (ValueError, RecursionError):
            return None
        found = event.get(name) if isinstance(event, dict) else None
        if found is None:
            return None
        return (found if isinstance(found, str) else json.dumps(found)).encode(errors="replace")

    return key_of


class Sender:
    """Moves lines to the publisher, on a thread of its own: reading and sending may block, Ctrl-C must not wait."""

    def __init__(
        self,
        publisher: Publisher,
        open_lines: Callable[[int], Iterable[Line]],
        tally: Tally,
        *,
        max_count: int,
        pacer: Pacer,
        key_of: Callable[[bytes], bytes | None] | None,
        stopping: threading.Event,
    ) -> None:
        self._publisher = publisher
        self._open_lines = open_lines
        self._tally = tally
        self._max_count = max_count
        self._pacer = pacer
        self._key_of = key_of
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def has_ended(self, wait_secs: float) -> bool:
        """Whether there is nothing more to send."""
        self._thread.join(wait_secs)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            max_bytes = connect_patiently(self._publisher, self._stopping)
            self._send_all(self._open_lines(max_bytes), max_bytes)
        except TryAgainLater as error:
            self.problem = f"{error}. {_ADVICE.get(error.code, '')}".rstrip()
        except OSError as error:
            self.problem = f"the input cannot be read any further: {error.strerror or error}"

    def _send_all(self, lines: Iterable[Line], max_bytes: int) -> None:
        for line in lines:
            if self._stopping.is_set():
                return
            self._tally.read_bytes += line.size_bytes
            if line.value == b"":
                self._tally.empty_lines += 1
                continue
            self._pacer.wait()
            self._send(line, max_bytes)
            if self._tally.sent == self._max_count:
                return

    def _send(self, line: Line, max_bytes: int) -> None:
        self._tally.send()
        settle = partial(self._tally.settle, line.number, len(line.value or b""))
        if line.value is None:
            reason = f"a line of {line.size_bytes} bytes is longer than the topic allows ({max_bytes} bytes)"
            settle(Refused(reason, code="MessageSizeTooLargeError"))
            return
        key = self._key_of(line.value) if self._key_of else None
        if self._key_of and key is None:
            self._tally.without_key += 1
        try:
            self._publisher.publish(line.value, key=key, on_done=settle)
        except (TryAgainLater, Refused) as error:
            settle(error)


def connect_patiently(publisher: Publisher, stopping: threading.Event) -> int:
    """Connect; where the topic is missing, give the service a moment to make it. Returns the bytes of a record.

    Raises:
        TryAgainLater: Kafka does not answer, or the topic stays missing.
    """
    deadline = time.monotonic() + _TOPIC_PATIENCE_SECS
    while True:
        try:
            return publisher.connect()
        except TryAgainLater as error:
            if error.code != "UnknownTopic" or time.monotonic() > deadline or stopping.wait(0.5):
                raise


class Progress:
    """Tells a person how far it is: a bar on a terminal, elsewhere a line every few seconds."""

    def __init__(
        self,
        tally: Tally,
        out: TextIO,
        *,
        is_wanted: bool = True,
        max_count: int,
        input_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tally = tally
        self._out = out
        self._is_wanted = is_wanted
        self._is_terminal = out.isatty()
        self._max_count = max_count
        self._input_bytes = input_bytes
        self._clock = clock
        self._shown_at = clock()
        self._width = 0

    def show(self) -> None:
        """Bring the display up to date; on a terminal every time, elsewhere when it is time."""
        if not self._is_wanted:
            return
        if self._is_terminal:
            self._redraw(self._text())
        elif self._clock() - self._shown_at >= _REPORT_SECS:
            self._shown_at = self._clock()
            print(self._text(), file=self._out, flush=True)

    def clear(self) -> None:
        """Leave an empty line for what comes next."""
        if self._width:
            self._redraw("")
            self._out.write("\r")

    def _redraw(self, text: str) -> None:
        self._out.write("\r" + text.ljust(self._width))
        self._out.flush()
        self._width = len(text)

    def _text(self) -> str:
        tally = self._tally
        if not tally.sent:
            return "waiting for Kafka or for input"
        parts = [f"{tally.acknowledged:,} acknowledged", f"{tally.records_per_second:,.0f}/s"]
        if tally.in_flight:
            parts.append(f"{tally.in_flight:,} in flight")
        if tally.failed:
            parts.append(f"{tally.failed:,} failed")
        return self._bar() + ", ".join(parts)

    def _bar(self) -> str:
        if not self._max_count and not self._input_bytes:
            return ""
        by_count = self._tally.sent / self._max_count if self._max_count else 0.0
        by_bytes = self._tally.read_bytes / self._input_bytes if self._input_bytes else 0.0
        done = min(1.0, max(by_count, by_bytes))
        return f"[{'#' * int(done * 24):<24}] {done:4.0%}  " if self._is_terminal else f"{done:.0%}: "


def summary(tally: Tally, *, where: str) -> str:
    """What became of the records, in a few lines."""
    size, rate = _size(tally.acknowledged_bytes), f"{tally.records_per_second:,.0f} records/s"
    lines = [
        f"{tally.sent:,} sent, {tally.acknowledged:,} acknowledged, {tally.failed:,} failed",
        f"{size} in {tally.seconds:.1f} s to {where}: {rate}",
    ]
    if tally.in_flight:
        lines.append(f"{tally.in_flight:,} not answered: they may or may not have arrived")
    if tally.empty_lines:
        lines.append(f"{tally.empty_lines:,} empty lines skipped")
    if tally.without_key:
        lines.append(f"{tally.without_key:,} sent without a key: they do not have the field")
    for failures in tally.failures.values():
        numbers = ", ".join(map(str, failures.numbers)) + (", ..." if failures.count > len(failures.numbers) else "")
        lines.append(f"{failures.count:,} failed (number {numbers}): {failures.example}")
    return "\n".join(lines)


def _size(size_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} bytes" if unit == "bytes" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


class Signals:
    """Ctrl-C and SIGTERM: the first one asks to stop sending, the second one to give up on what is in flight."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.received: list[int] = []

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.receive)

    def receive(self, number: int, _frame: FrameType | None = None) -> None:
        self.received.append(number)
        self.stopping.set()


def watch(sender: Sender, tally: Tally, progress: Progress, signals: Signals) -> None:
    """Return when everything is sent and settled, or when the user does not want to wait for that any longer."""
    ticks_since_signal = 0
    while len(signals.received) < 2:
        has_ended = sender.has_ended(_TICK_SECS)
        progress.show()
        ticks_since_signal += bool(signals.received)
        # A sender that still reads after a few ticks waits for input that may never come; it sends nothing any more.
        if not tally.in_flight and (has_ended or ticks_since_signal > 3):
            return
        if has_ended:
            time.sleep(_TICK_SECS / 5)


def exit_code(tally: Tally, *, problem: str | None, signal_number: int | None, is_endless: bool) -> int:
    """0 only where every record of the input was acknowledged; see the end of the help text."""
    if problem or tally.failed or tally.in_flight:
        return 1
    if signal_number is not None and not is_endless:
        return 128 + signal_number
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="producer.py", description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("input", nargs="?", metavar="FILE", help="the same as --file; - is standard input")
    add("--file", metavar="FILE", help="send the lines of this file; - is standard input")
    add("--count", type=_count, metavar="N", help=f"stop after N records; 0: no limit (generated: {_DEFAULT_COUNT})")
    add(
        "--rate",
        type=_at_least(0),
        default=0.0,
        metavar="R",
        help="records per second; 0: as fast as possible (default)",
    )
    add("--topic", metavar="NAME", help="topic (default: KAFKA_TOPIC)")
    add("--bootstrap-servers", metavar="HOST:PORT", help="brokers, comma-separated (default: KAFKA_BOOTSTRAP_SERVERS)")
    add("--key", metavar="FIELD", help="the value of this JSON field is the key; without, partitions take turns")
    add("--seed", type=int, metavar="N", help="generate the same events, but for their times, at every run")
    add("--compression", choices=get_args(Compression), default="lz4", help="codec of the batches (default: lz4)")
    add(
        "--timeout",
        type=_at_least(1),
        default=120.0,
        metavar="SECS",
        help="a record unanswered for so long has failed (120)",
    )
    add("--quiet", action="store_true", help="no progress, only the summary")
    add("--verbose", action="store_true", help="show what the Kafka client logs")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, not {text!r}")
    return int(text)


def _at_least(lowest: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not lowest <= number < math.inf:
            raise argparse.ArgumentTypeError(f"must be a number, {lowest:g} or more, not {text!r}")
        return number

    return parse


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.input and options.file:
        parser.error("name the input once: as FILE or with --file")
    options.input = options.input or options.file
    if options.input and options.seed is not None:
        parser.error("--seed is for generated events, not for the lines of a file")
    if options.count is None:
        options.count = 0 if options.input else _DEFAULT_COUNT
    return options


def kafka_settings(environ: Mapping[str, str], *, topic: str | None, bootstrap_servers: str | None) -> KafkaSettings:
    """Kafka's part of the settings, with the options of the command line first.

    Raises:
        BadSettings: with every problem at once.
    """
    given = {"KAFKA_TOPIC": topic, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers}
    variables = {name: value for name, value in environ.items() if name.startswith("KAFKA_")}
    return Settings.from_env(variables | {name: value for name, value in given.items() if value is not None}).kafka


def _open(path: str) -> BinaryIO:
    # A stream of our own on standard input: Python's own cannot be closed at exit while a thread waits on it.
    return os.fdopen(os.dup(0), "rb") if path == "-" else Path(path).open("rb")


def _size_if_file(stream: BinaryIO) -> int:
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def publisher_for(settings: KafkaSettings, options: argparse.Namespace) -> KafkaPublisher:
    """A publisher that waits for a slow Kafka as long as a record may take."""
    return KafkaPublisher(
        settings,
        compression=options.compression,
        delivery_timeout_secs=options.timeout,
        room_timeout_secs=options.timeout + 1,
    )


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    make_publisher: Callable[[KafkaSettings, argparse.Namespace], Publisher] = publisher_for,
    signals: Signals | None = None,
) -> int:
    """Run the program; returns its exit code."""
    options = _parse(argv)
    _set_up_client_log(is_verbose=options.verbose)
    try:
        settings = kafka_settings(environ, topic=options.topic, bootstrap_servers=options.bootstrap_servers)
        stream = _open(options.input) if options.input else None
    except BadSettings as error:
        return _refuse(error.problems)
    except OSError as error:
        return _refuse([f"{options.input} cannot be read: {error.strerror}"])
    for sentence in misspelt({name: value for name, value in environ.items() if name.startswith("KAFKA_")}):
        print(f"producer.py: {sentence}", file=sys.stderr)
    signals = signals or Signals()
    return _run(options, settings, stream, make_publisher(settings, options), signals)


def _run(
    options: argparse.Namespace,
    settings: KafkaSettings,
    stream: BinaryIO | None,
    publisher: Publisher,
    signals: Signals,
) -> int:
    tally = Tally()
    sender = Sender(
        publisher,
        partial(read_lines, stream) if stream else lambda _: generated_lines(options.seed),
        tally,
        max_count=options.count,
        pacer=Pacer(options.rate, time.monotonic, signals.stopping.wait),
        key_of=key_from_field(options.key) if options.key else None,
        stopping=signals.stopping,
    )
    progress = Progress(
        tally,
        sys.stderr,
        is_wanted=not options.quiet,
        max_count=options.count,
        input_bytes=_size_if_file(stream) if stream else 0,
    )
    sender.start()
    watch(sender, tally, progress, signals)
    publisher.close(_CLOSE_SECS)
    if stream and sender.has_ended(0):  # closing would wait for a thread that still reads
        stream.close()
    progress.clear()
    if sender.problem:
        print(f"producer.py: {sender.problem}", file=sys.stderr)
    if tally.sent or not sender.problem:
        print(summary(tally, where=f"topic {settings.topic} on {settings.bootstrap_servers}"), flush=True)
    return exit_code(
        tally,
        problem=sender.problem,
        signal_number=signals.received[0] if signals.received else None,
        is_endless=stream is None and options.count == 0,
    )


def _refuse(problems: Iterable[str]) -> int:
    for problem in problems:
        print(f"producer.py: {problem}", file=sys.stderr)
    return 2


def _set_up_client_log(*, is_verbose: bool) -> None:
    if is_verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        return
    for name in ("kafka", "app"):  # the summary tells what their warnings would
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


if __name__ == "__main__":
    signals = Signals()
    signals.install()
    sys.exit(main(sys.argv[1:], os.environ, signals=signals))

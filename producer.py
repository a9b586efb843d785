"""Sends logs to Kafka: generated ones, or the lines of a file or of standard input."""

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import BinaryIO, get_args

from app.backends.kafka.options import Compression
from app.backends.kafka.publisher import KafkaPublisher
from app.environment import misspelt, read_settings
from app.errors import BadSettings
from app.ports import LogPublisher
from app.settings import KafkaSettings
from sending.console import say, set_up_client_log, write
from sending.lines import generated_lines, key_from_field, known_bytes, open_input, read_lines
from sending.pacer import Pacer
from sending.progress import Progress
from sending.sender import Sender
from sending.signals import Signals
from sending.tally import Tally, summary
from sending.watch import watch

_DEFAULT_COUNT = 10_000
_CLOSE_SECS = 1.0

_EXAMPLES = f"""\
examples:
  python producer.py                           {_DEFAULT_COUNT:,} generated events
  python producer.py --count 0 --rate 50       50 events a second until Ctrl-C
  python producer.py --key service             events of one service stay in order
  python producer.py --file /var/log/syslog    every line of a file
  tail -f app.log | python producer.py -       lines as they are written

Kafka's address and login are read from the KAFKA_* variables, as by the service.

exit code: 0 every record was acknowledged (also when Ctrl-C ended an endless run),
  1 some were not, Kafka was not reached, or the summary could not be written, 2 bad options or settings,
  130 or 143 stopped by Ctrl-C or SIGTERM before the end of the input."""


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
    add("--key", metavar="FIELD", help="use the value of this JSON field as the key (default: no key)")
    add("--seed", type=int, metavar="N", help="generate the same events, except for their times, at every run")
    add("--compression", choices=get_args(Compression), default="lz4", help="codec of the batches (default: lz4)")
    add(
        "--timeout",
        type=_at_least(1),
        default=120.0,
        metavar="SECS",
        help="time after which a record that is not acknowledged has failed (default: 120)",
    )
    add("--quiet", action="store_true", help="no progress, only the summary")
    add("--verbose", action="store_true", help="show the log of the Kafka client")
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


def kafka_settings(variables: Mapping[str, str], *, topic: str | None, bootstrap_servers: str | None) -> KafkaSettings:
    """The settings for Kafka; options of the command line override environment variables.

    Raises:
        BadSettings: with every problem at once.
    """
    given = {"KAFKA_TOPIC": topic, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers}
    return read_settings({**variables, **{name: value for name, value in given.items() if value is not None}}).kafka


def publisher_for(settings: KafkaSettings, options: argparse.Namespace) -> LogPublisher:
    """A publisher to the topic of the settings."""
    return KafkaPublisher(settings, compression=options.compression, delivery_timeout_secs=options.timeout)


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    make_publisher: Callable[[KafkaSettings, argparse.Namespace], LogPublisher] = publisher_for,
    signals: Signals | None = None,
) -> int:
    """Run the program; returns its exit code."""
    options = _parse(argv)
    set_up_client_log(is_verbose=options.verbose)
    variables = {name: value for name, value in environ.items() if name.startswith("KAFKA_")}
    try:
        settings = kafka_settings(variables, topic=options.topic, bootstrap_servers=options.bootstrap_servers)
        stream = open_input(options.input) if options.input else None
    except BadSettings as error:
        _print_problems(error.problems)
        return 2
    except OSError as error:
        _print_problems([f"{options.input} cannot be read: {error.strerror}"])
        return 2
    _print_problems(misspelt(variables))
    return _run(options, settings, stream, make_publisher(settings, options), signals or Signals())


def _run(
    options: argparse.Namespace,
    settings: KafkaSettings,
    stream: BinaryIO | None,
    publisher: LogPublisher,
    signals: Signals,
) -> int:
    tally = Tally()
    sender = Sender(
        publisher,
        partial(read_lines, stream) if stream else lambda _: generated_lines(options.seed),
        tally,
        max_count=options.count,
        wait_secs=options.timeout + 1,  # wait for a slow Kafka as long as a record may take
        pacer=Pacer(options.rate, time.monotonic, signals.stopping.wait),
        key_of=key_from_field(options.key) if options.key else None,
        stopping=signals.stopping,
    )
    progress = Progress(
        tally,
        sys.stderr,
        is_wanted=not options.quiet,
        max_count=options.count,
        input_bytes=known_bytes(stream) if stream else 0,
    )
    sender.start()
    watch(sender, tally, progress, signals)
    publisher.close(_CLOSE_SECS)
    if stream and sender.has_ended(0):  # closing would wait for a thread that still reads
        stream.close()
    progress.clear()
    where = f"topic {settings.topic} on {settings.bootstrap_servers}"
    return exit_code(
        tally,
        problem=_report(tally, sender.problem, where=where),
        signal_number=signals.received[0] if signals.received else None,
        is_endless=stream is None and options.count == 0,
    )


def _report(tally: Tally, problem: str | None, *, where: str) -> str | None:
    """Print the problem and the summary. Returns the problem, which may be that the summary could not be written."""
    if problem:
        _print_problems([problem])
        if not tally.sent:
            return problem
    text = summary(tally, where=where)
    try:
        write(text + "\n", sys.stdout)
    except OSError as error:
        problem = f"the summary cannot be written: {error.strerror}. {text.splitlines()[0]}"
        _print_problems([problem])
    return problem


def exit_code(tally: Tally, *, problem: str | None, signal_number: int | None, is_endless: bool) -> int:
    """0 only if every record of the input was acknowledged; see the end of the help text."""
    if problem or tally.failed or tally.in_flight:
        return 1
    if signal_number is not None and not is_endless:
        return 128 + signal_number
    return 0


def _print_problems(problems: Iterable[str]) -> None:
    for problem in problems:
        say(f"producer.py: {problem}\n", sys.stderr)


if __name__ == "__main__":
    signals = Signals()
    signals.install()
    sys.exit(main(sys.argv[1:], os.environ, signals=signals))

"""Sends logs to Kafka: generated ones, or those of a file or of standard input."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from app.backends.kafka.publisher import KafkaPublisher
from app.environment import misspelt, read_settings
from app.errors import BadSettings
from app.input.continuation import rule_of
from app.input.records import Input
from app.input.source import UnreadableInput, open_source
from app.ports import LogPublisher
from app.settings import KafkaSettings
from sending.console import say, set_up_client_log, write
from sending.generated import generated_lines
from sending.headers import Header
from sending.keys import key_from_field
from sending.options import headers_of, parse
from sending.pacer import Pacer
from sending.progress import Progress
from sending.sender import Sender
from sending.signals import Signals
from sending.tally import Tally, read_from, summary
from sending.watch import watch

_CLOSE_SECS = 1.0


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
    options = parse(argv)
    set_up_client_log(is_verbose=options.verbose)
    variables = {name: value for name, value in environ.items() if name.startswith("KAFKA_")}
    try:
        settings = kafka_settings(variables, topic=options.topic, bootstrap_servers=options.bootstrap_servers)
        source = open_input(options) if options.input else None
    except BadSettings as error:
        _print_problems(error.problems)
        return 2
    except UnreadableInput as error:
        _print_problems([str(error)])
        return 2
    except OSError as error:
        _print_problems([f"{options.input} cannot be read: {error.strerror}"])
        return 2
    _print_problems(misspelt(variables))
    headers = headers_of(options, environ)
    return _run(options, settings, source, headers, make_publisher(settings, options), signals or Signals())


def open_input(options: argparse.Namespace) -> Input:
    """The input of the options. What a file holds is looked at now; what a pipe holds, when it is read.

    Raises:
        RefusedInput: it is a file that is not text.
        OSError: it cannot be read.
    """
    source = open_source(options.input)
    opened = Input(source, encoding=options.encoding or "", new_rule=rule_of(options.multiline))
    if source.is_file:
        try:
            opened.open()
        except UnreadableInput:
            opened.close()
            raise
    return opened


def _run(
    options: argparse.Namespace,
    settings: KafkaSettings,
    source: Input | None,
    headers: Sequence[Header],
    publisher: LogPublisher,
    signals: Signals,
) -> int:
    tally = Tally()
    sender = Sender(
        publisher,
        source.records if source else lambda _: generated_lines(options.seed),
        tally,
        max_count=options.count,
        wait_secs=options.timeout + 1,  # wait for a slow Kafka as long as a record may take
        pacer=Pacer(options.rate, time.monotonic, signals.stopping.wait),
        key_of=key_from_field(options.key) if options.key else None,
        headers=headers,
        stopping=signals.stopping,
    )
    progress = Progress(
        tally,
        sys.stderr,
        is_wanted=not options.quiet,
        max_count=options.count,
        expected_bytes=lambda: source.expected_bytes if source else 0.0,
    )
    signals.begin()
    sender.start()
    watch(sender, tally, progress, signals)
    publisher.close(_CLOSE_SECS)
    if source and sender.has_ended(0):  # closing would wait for a thread that still reads
        source.close()
    progress.clear()
    where = f"topic {settings.topic} on {settings.bootstrap_servers}"
    return exit_code(
        tally,
        problem=_report(tally, sender, source, where=where),
        signal_number=signals.received[0] if signals.received else None,
        is_endless=source is None and options.count == 0,
        is_refused=sender.is_input_refused,
    )


def _report(tally: Tally, sender: Sender, source: Input | None, *, where: str) -> str | None:
    """Print the problem and the summary. Returns the problem, which may be that the summary could not be written."""
    problem = sender.problem
    if problem:
        _print_problems([problem])
        if not tally.sent:
            return problem
    text = summary(tally, where=where, read=_read(source) if source else "")
    try:
        write(text + "\n", sys.stdout)
    except OSError as error:
        problem = f"the summary cannot be written: {error.strerror}. {text.splitlines()[0]}"
        _print_problems([problem])
    return problem


def _read(source: Input) -> str:
    return read_from(source.name, source.kind, raw_bytes=source.raw_bytes, unreadable=source.unreadable)


def exit_code(
    tally: Tally, *, problem: str | None, signal_number: int | None, is_endless: bool, is_refused: bool = False
) -> int:
    """0 only if every record of the input was acknowledged; see the end of the help text."""
    if is_refused:
        return 2
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

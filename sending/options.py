"""The command line of producer.py."""

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

from app.backends.kafka.options import Compression
from app.input.encoding import is_encoding
from sending.headers import Header, is_timezone, machine_timezone, parsed_header, record_headers

_DEFAULT_COUNT = 10_000

_EXAMPLES = f"""\
examples:
  .venv/bin/python producer.py                           {_DEFAULT_COUNT:,} generated events
  .venv/bin/python producer.py --count 0 --rate 50       50 events a second until Ctrl-C
  .venv/bin/python producer.py --key service             events of one service stay in order
  .venv/bin/python producer.py --file /var/log/syslog    every event of a file
  .venv/bin/python producer.py app.log.2.gz              the same, unpacked
  tail -f app.log | .venv/bin/python producer.py -       events as they are written

Files may be packed with gzip, bzip2, xz or zstd, be UTF-16 (any other encoding by --encoding), and hold lines, a JSON
array, or JSON objects over several lines. Binary files are refused. Lines that continue an event, such as those of a
stack trace, become one record with it, and so do the pieces that containerd, CRI-O and Docker make of long lines.

Kafka's address and login are read from the KAFKA_* variables, as by the service.

exit code: 0 every record was acknowledged (also when Ctrl-C ended an endless run),
  1 some were not, Kafka was not reached, the input breaks off, or the summary could not be written,
  2 bad options or settings, or an input that cannot be read or is not text,
  130 or 143 stopped by Ctrl-C or SIGTERM before the end of the input."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options. Ends the program if they are wrong."""
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


def headers_of(options: argparse.Namespace, environ: Mapping[str, str]) -> list[Header]:
    """The headers of all records. Those of an input say in which zone its times are, unless that is UTC or unknown."""
    timezone = options.timezone or (machine_timezone(environ) if options.input else None)
    return record_headers(service=options.service, host=options.host, timezone=timezone, others=options.header)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="producer.py",
        description="Sends logs to Kafka: generated ones, or those of a file or of standard input.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_input(parser.add_argument)
    _add_records(parser.add_argument)
    _add_sending(parser.add_argument)
    return parser


def _add_input(add: Callable[..., object]) -> None:
    add("input", nargs="?", metavar="FILE", help="the same as --file; - is standard input")
    add("--file", metavar="FILE", help="send the events of this file; - is standard input")
    add("--count", type=_count, metavar="N", help=f"stop after N records; 0: no limit (generated: {_DEFAULT_COUNT})")
    add("--seed", type=int, metavar="N", help="generate the same events, except for their times, at every run")
    add(
        "--encoding",
        type=_encoding,
        metavar="NAME",
        help="how text is encoded, such as latin-1 or cp1252 (default: UTF-8, or UTF-16 if the file shows it)",
    )
    add(
        "--multiline",
        type=_multiline,
        metavar="off|REGEX",
        help="off: every line is a record; REGEX: events begin with lines that match it"
        " (default: indented lines and those of stack traces continue an event)",
    )


def _add_records(add: Callable[..., object]) -> None:
    add("--key", metavar="FIELD", help="use the value of this JSON field as the key (default: no key)")
    add("--service", metavar="NAME", help="service of events that name none (header service.name)")
    add("--host", metavar="NAME", help="host of events that name none (header host.name)")
    add(
        "--timezone",
        type=_timezone,
        metavar="ZONE",
        help="zone of times that name none, such as Europe/Berlin; none: not said"
        " (header timezone; default for an input: that of this machine)",
    )
    add(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="send this header with every record; may be repeated",
    )


def _add_sending(add: Callable[..., object]) -> None:
    add(
        "--rate",
        type=_at_least(0),
        default=0.0,
        metavar="R",
        help="records per second; 0: as fast as possible (default)",
    )
    add("--topic", metavar="NAME", help="topic (default: KAFKA_TOPIC)")
    add("--bootstrap-servers", metavar="HOST:PORT", help="brokers, comma-separated (default: KAFKA_BOOTSTRAP_SERVERS)")
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


def _encoding(text: str) -> str:
    if not is_encoding(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no encoding that Python knows; utf-16, latin-1, cp1252 are some")
    return text


def _multiline(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text


def _timezone(text: str) -> str:
    if not is_timezone(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no zone of the tz database, such as Europe/Berlin")
    return text


def _header(text: str) -> Header:
    try:
        return parsed_header(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}") from None

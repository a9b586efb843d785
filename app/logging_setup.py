"""The service's own log, as text or as JSON for Cloud Logging."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

from app.console import json_line, printable

_SEVERITY: Final = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}

_PLAIN: Final = re.compile(r"[\w.:/@+~-]+")

# Modules of the Kafka clients that log every connection attempt as an error, several a second while a broker restarts,
# some with a traceback. We log ourselves, rate-limited, that Kafka is unavailable and why.
_NOISY: Final = ("kafka.net", "kafka.cluster", "kafka.coordinator", "kafka.consumer.fetcher", "confluent_kafka")


ACCESS: Final = "app.access"
"""The logger of the log of access. A setting of its own says what it logs, so that `LOG_LEVEL` does not count."""


def _fields_of(record: logging.LogRecord) -> Mapping[str, Mapping[str, object]]:
    """Groups of fields, logged with `extra={"fields": {"GROUP": {...}}}`: facts which programs filter by."""
    fields: Mapping[str, Mapping[str, object]] = getattr(record, "fields", {})
    return fields


class TextFormatter(logging.Formatter):
    """Time, level and message, then fields as key=value. Control characters are escaped, since clients send some."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, or several with a traceback, without the end."""
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name of the standard library
        """The first line."""
        fields = {name: value for group in _fields_of(record).values() for name, value in group.items()}
        return super().formatMessage(record) + "".join(f" {name}={_shown(value)}" for name, value in fields.items())


def _shown(value: object) -> str:
    """A value of logfmt: quoted unless it is one plain word. A line break in it would look like a line of its own."""
    text = value if isinstance(value, str) else json.dumps(value)
    is_plain = _PLAIN.fullmatch(text) or not isinstance(value, str)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


class JsonFormatter(logging.Formatter):
    """One JSON object per line with the keys that Cloud Logging understands: severity, message, time."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        entry = {
            "severity": _SEVERITY.get(record.levelname, "INFO"),
            "message": message,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "logger": record.name,
            **_fields_of(record),
        }
        return json_line(entry)


def set_up_logging(level: str, *, as_json: bool, stream: TextIO = sys.stdout) -> None:
    """Log everything to one stream. Libraries log from WARNING on; we report ourselves what they retry."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    if level != "debug":
        handler.addFilter(lambda record: not record.name.startswith(_NOISY))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("app").setLevel(level.upper())
    logging.getLogger(ACCESS).setLevel(logging.INFO)
    for name in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # app.http logs what fails
    logging.captureWarnings(True)

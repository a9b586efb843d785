"""The service's own log, as text or as JSON for Cloud Logging."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

_SEVERITY: Final = {"WARNING": "WARNING", "ERROR": "ERROR", "CRITICAL": "CRITICAL", "DEBUG": "DEBUG"}

# Modules of the Kafka client that log every connection attempt as an error, several a second while a broker restarts,
# some with a traceback. We log ourselves, rate-limited, that Kafka is unavailable and why.
_NOISY: Final = ("kafka.net", "kafka.cluster", "kafka.coordinator", "kafka.consumer.fetcher")


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
        }
        return json.dumps(entry, ensure_ascii=False)


def set_up_logging(level: str, *, as_json: bool, stream: TextIO = sys.stdout) -> None:
    """Log everything to one stream. Libraries log from WARNING on; we report ourselves what they retry."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    if level != "debug":
        handler.addFilter(lambda record: not record.name.startswith(_NOISY))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("app").setLevel(level.upper())
    for name in ("kafka", "urllib3", "clickhouse_connect"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # app.http logs what fails
    logging.captureWarnings(True)

"""Diagnoses why Kafka is unreachable: the client's exceptions only say that time ran out, its log has the reason."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import BrokerResponseError, KafkaError, KafkaTimeoutError

from app.errors import KafkaCode, TryAgainLater


@contextmanager
def explained_unreachable(bootstrap_servers: str) -> Iterator[None]:
    """Add the reason to the error of a client that cannot connect.

    Raises:
        TryAgainLater: in place of every error of the client.
    """
    listener = _Reason()
    log = logging.getLogger("kafka")
    log.addHandler(listener)
    try:
        yield
    except (KafkaError, TryAgainLater) as error:
        if isinstance(error, TryAgainLater) and not isinstance(error.__cause__, KafkaTimeoutError):
            raise
        reason = listener.error or error
        message = f"Kafka does not answer at {bootstrap_servers} ({reason})"
        raise TryAgainLater(message, code=KafkaCode.UNREACHABLE) from error
    finally:
        log.removeHandler(listener)


class _Reason(logging.Handler):
    """Keeps the most specific error of the client's log: the broker's, else the last one that is not a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.error: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, KafkaTimeoutError) or isinstance(self.error, BrokerResponseError):
                continue
            if isinstance(argument, Exception):
                self.error = argument

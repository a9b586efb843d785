"""Diagnoses why Kafka is unreachable: the client's exceptions only say that time ran out, its log has the reason."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import BrokerResponseError, KafkaError, KafkaTimeoutError, RequestTimedOutError

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
    """Keeps the last of the errors in the client's log that tell most."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.error: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, Exception) and (told := _told(argument)) and told >= _told(self.error):
                self.error = argument


def _told(error: Exception | None) -> int:
    """How much an error tells of the reason; 0 if nothing, as that the time for all attempts is over."""
    match error:
        case None | KafkaTimeoutError():
            return 0
        case RequestTimedOutError():  # the client's own, although it is one of those that a broker may send
            return 1
        case BrokerResponseError():
            return 3
        case _:
            return 2

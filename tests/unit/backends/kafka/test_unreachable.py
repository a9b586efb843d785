"""Of what a client logs while it cannot connect, the error says what tells most."""

import logging

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, RequestTimedOutError, SaslAuthenticationFailedError

from app.backends.kafka.unreachable import explained_unreachable
from app.errors import KafkaCode, TryAgainLater

THE_TIME_IS_OVER = KafkaTimeoutError("no broker within 10 s")
A_TIMEOUT = RequestTimedOutError("Request timed out after 49 ms")
AN_ERROR = KafkaConnectionError("TLS alert: certificate unknown")
THE_BROKERS = SaslAuthenticationFailedError("Invalid password")


def said(*logged: Exception) -> str:
    """The message for a client that logs these errors, one after another, and gives up."""
    log = logging.getLogger("kafka.net")

    def connect() -> None:
        for error in logged:
            log.warning("connection: %s", error)
        raise THE_TIME_IS_OVER

    with pytest.raises(TryAgainLater) as raised, explained_unreachable("kafka:9092"):
        connect()
    assert raised.value.code == KafkaCode.UNREACHABLE
    return str(raised.value)


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        ([], THE_TIME_IS_OVER),
        ([THE_TIME_IS_OVER], THE_TIME_IS_OVER),
        ([A_TIMEOUT, THE_TIME_IS_OVER], A_TIMEOUT),
        ([AN_ERROR, A_TIMEOUT], AN_ERROR),  # the last attempt has little time left
        ([A_TIMEOUT, AN_ERROR], AN_ERROR),
        ([THE_BROKERS, AN_ERROR, A_TIMEOUT], THE_BROKERS),
        ([KafkaConnectionError("another"), AN_ERROR], AN_ERROR),
    ],
)
def test_it_says_what_tells_most(logged: list[Exception], told: Exception) -> None:
    assert said(*logged) == f"Kafka does not answer at kafka:9092 ({told})"

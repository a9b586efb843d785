"""Reading the metadata of a topic."""

from typing import Any

import pytest
from kafka.errors import LeaderNotAvailableError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from app.backends.kafka.topic import metadata_of, new_topic
from app.settings import KafkaSettings


class Admin:
    """Returns the same error code for every topic."""

    def __init__(self, error_code: int) -> None:
        self._error_code = error_code

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": name, "error_code": self._error_code, "partitions": []} for name in names]


def test_a_topic_that_kafka_does_not_know_is_none() -> None:
    assert metadata_of(Admin(UnknownTopicOrPartitionError.errno), "logs") is None


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError, LeaderNotAvailableError])
def test_a_topic_that_may_not_be_seen_or_is_not_ready_is_an_error_and_not_one_without_partitions(
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        metadata_of(Admin(error.errno), "logs")  # type: ignore[attr-defined]


def test_a_new_topic_has_what_is_set_and_kafkas_own_times() -> None:
    settings = KafkaSettings(topic="web", topic_partitions=7, topic_replication_factor=3, topic_retention_hours=2)

    assert new_topic(settings) == {
        "web": {
            "num_partitions": 7,
            "replication_factor": 3,
            "configs": {"retention.ms": "7200000", "message.timestamp.type": "LogAppendTime"},
        }
    }

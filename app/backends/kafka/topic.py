"""Administers the topic: creates it when missing, describes it for the preflight check."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from msgspec import Struct

from app.backends.kafka.errors import translated
from app.backends.kafka.options import connection_options
from app.backends.kafka.unreachable import explained_unreachable
from app.backends.kafka.workarounds import open_client
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_Result = TypeVar("_Result")

_REQUEST_SECS = 10.0
_HOUR_MS = 3600 * 1000


class Admin:
    """An admin client that is opened at the first call, and again after an error; one thread at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: KafkaAdminClient | None = None

    def call(self, doing: str, call: Callable[[KafkaAdminClient], _Result]) -> _Result:
        """Make a call; `doing` says what is tried, such as "list topics".

        Raises:
            TryAgainLater: Kafka does not answer, or does not allow it.
        """
        try:
            if self._client is None:
                self._client = open_admin(self._settings)
            return call(self._client)
        except (KafkaError, OSError) as error:
            self.close()
            raise translated(error, doing) from error

    def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class TopicDescription(Struct, frozen=True):
    """Kafka's description of the topic."""

    topic_id: str
    partition_count: int
    replication_factor: int


class TopicAdmin:
    """Reads and changes one topic. One connection, opened at the first call; belongs to one thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = Admin(settings)

    def ensure(self) -> bool:
        """Create the topic if it is missing; returns whether it was created.

        Raises:
            TryAgainLater: Kafka does not answer, or does not allow it.
        """
        return self._admin.call(f"create topic {self._settings.topic}", self._ensure)

    def describe(self) -> TopicDescription | None:
        """The topic's description, None if it does not exist.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        return self._admin.call(f"describe topic {self._settings.topic}", self._describe)

    def configs(self) -> dict[str, str]:
        """The topic's configuration, defaults included.

        Raises:
            TryAgainLater: Kafka does not answer, or does not allow it.
        """
        return self._admin.call(f"read the configuration of topic {self._settings.topic}", self._configs)

    def topic_id(self) -> str:
        """Id that Kafka gave the topic when it was created; another id means another topic of the same name.

        Raises:
            TryAgainLater: Kafka does not answer, or the topic does not exist (yet).
        """
        description = self.describe()
        if description is None:
            raise TryAgainLater(f"topic {self._settings.topic} does not exist", code=KafkaCode.UNKNOWN_TOPIC)
        return description.topic_id

    def close(self) -> None:
        """End the connection."""
        self._admin.close()

    def _ensure(self, admin: KafkaAdminClient) -> bool:
        if self._describe(admin) is not None:
            return False
        try:
            admin.create_topics(new_topic(self._settings), wait_for_metadata=True)
        except TopicAlreadyExistsError:  # another instance was faster
            return False
        return True

    def _describe(self, admin: KafkaAdminClient) -> TopicDescription | None:
        topic = metadata_of(admin, self._settings.topic)
        if topic is None:
            return None
        partitions = topic["partitions"]
        return TopicDescription(
            topic_id=str(topic["topic_id"]),
            partition_count=len(partitions),
            replication_factor=min(len(partition["replica_nodes"]) for partition in partitions),
        )

    def _configs(self, admin: KafkaAdminClient) -> dict[str, str]:
        return configs_of(admin, self._settings.topic)


def open_admin(settings: KafkaSettings) -> KafkaAdminClient:
    """An admin client for the cluster; one thread at a time.

    Raises:
        TryAgainLater: Kafka does not answer.
    """
    timeout_ms = int(_REQUEST_SECS * 1000)
    options = {"request_timeout_ms": timeout_ms, "bootstrap_timeout_ms": timeout_ms}
    with explained_unreachable(settings.bootstrap_servers):
        return open_client(KafkaAdminClient, connection_options(settings) | options)


def new_topic(settings: KafkaSettings) -> dict[str, dict[str, Any]]:
    """The topic as the service creates it, in the form that `KafkaAdminClient.create_topics` takes."""
    topic = {
        "num_partitions": settings.topic_partitions,
        "replication_factor": settings.topic_replication_factor,
        "configs": {
            "retention.ms": str(settings.topic_retention_hours * _HOUR_MS),
            # With the producers' own times, one event dated far back could make Kafka delete unread segments.
            "message.timestamp.type": "LogAppendTime",
        },
    }
    return {settings.topic: topic}


def metadata_of(admin: KafkaAdminClient, topic: str) -> dict[str, Any] | None:
    """Kafka's metadata of a topic, None if it does not exist.

    Raises:
        KafkaError: we may not see it, or it is not ready.
    """
    try:
        [metadata] = admin.describe_topics([topic])
    except UnknownTopicOrPartitionError:
        return None
    if metadata["error_code"] == UnknownTopicOrPartitionError.errno:
        return None
    if metadata["error_code"]:
        raise for_code(metadata["error_code"])(f"topic {topic}")
    return metadata


def configs_of(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    """A topic's configuration, defaults included; empty if we may not read it."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    response = admin.describe_configs([resource], config_filter="all")
    return {name: config["value"] for name, config in response["topic"][topic].items()}

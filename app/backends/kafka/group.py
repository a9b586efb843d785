"""Group on Kafka: reads members and partitions from the coordinator. Joins nothing."""

from contextlib import closing

from kafka.errors import KafkaError

from app.backends.kafka.errors import try_again
from app.backends.kafka.topic import open_admin
from app.backends.kafka.topics import found_topics
from app.domain.group import GroupStanding
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_STABLE = "Stable"


class KafkaGroup:
    """See `ports.Group`. Connects for each call, since calls are rare. One thread at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def standing(self) -> GroupStanding:
        """See `ports.Group`."""
        group_id, choice = self._settings.group_id, self._settings.topic_choice
        with closing(open_admin(self._settings)) as admin:
            try:
                described = admin.describe_groups([group_id])[group_id]
                topics = choice.among(found_topics(admin, choice)).topics.values()
            except (KafkaError, OSError) as error:
                raise try_again(error, f"describe group {group_id}") from error
        if not topics:
            raise TryAgainLater(f"topic {choice.main} does not exist", code=KafkaCode.UNKNOWN_TOPIC)
        return GroupStanding(
            member_count=len(described["members"]),
            partition_count=sum(topic.partition_count for topic in topics),
            is_stable=described["group_state"] == _STABLE,
        )

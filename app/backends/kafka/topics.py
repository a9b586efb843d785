"""Looks up which topics Kafka has, their ids, and whether we may read them. Changes nothing."""

from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import Future
from typing import Any, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import NoError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError, for_code

from app.backends.kafka.topic import Admin
from app.domain.topics import FoundTopic, TopicChoice, TopicsToRead
from app.errors import KafkaCode, TryAgainLater
from app.pipeline.task import Submit
from app.settings import KafkaSettings

_ABSENT: Final = UnknownTopicOrPartitionError.errno
_UNSEEN: Final = TopicAuthorizationFailedError.errno


class KafkaTopics:
    """The topics that settings choose. One connection, opened at the first call; one thread at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._choice = settings.topic_choice
        self._admin = Admin(settings)

    def to_read(self) -> TopicsToRead:
        """The topics to read as they are now.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        return self._admin.call("list topics", lambda admin: self._choice.among(found_topics(admin, self._choice)))

    def ids(self, names: Set[str]) -> Mapping[str, str]:
        """The ids of these topics as they are now, without those that do not exist or may not be seen.

        Another id means another topic of the same name.

        Raises:
            TryAgainLater: Kafka does not answer, or none of them exists (yet).
        """
        listed = ", ".join(sorted(names))
        ids = self._admin.call(f"describe topic {listed}", lambda admin: _ids(admin, names))
        if not ids:
            raise TryAgainLater(f"topic {listed} does not exist", code=KafkaCode.UNKNOWN_TOPIC)
        return ids

    def close(self) -> None:
        """End the connection."""
        self._admin.close()


class TopicWatch:
    """Follows which topics are to be read: asks Kafka on another thread. Belongs to one thread."""

    def __init__(
        self,
        topics: KafkaTopics,
        *,
        on_unread: Callable[[Mapping[str, str]], None],
        every_secs: float,
        clock: Callable[[], float],
        submit: Submit,
    ) -> None:
        """Ask for the first time. `on_unread` is called with the topics that are not read and why, when that changes.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        self._topics = topics
        self._on_unread = on_unread
        self._every_secs = every_secs
        self._clock = clock
        self._submit = submit
        self._request: Future[TopicsToRead] | None = None
        self._unread: Mapping[str, str] | None = None
        self._next_at = clock() + every_secs
        self.names: Set[str] = frozenset()
        self._take(topics.to_read())

    def turn(self) -> bool:
        """Take the last answer, and ask again when it is due; never waits. Returns whether `names` has changed.

        Raises:
            TryAgainLater: Kafka did not answer; what was known before goes on to count.
        """
        if self._request is None and self._clock() >= self._next_at:
            self._request = self._submit(self._topics.to_read)
        if self._request is None or not self._request.done():
            return False
        request, self._request = self._request, None
        self._next_at = self._clock() + self._every_secs
        before = self.names
        self._take(request.result())
        return self.names != before

    def close(self) -> None:
        """Ask no more, and end the connection as soon as nobody waits for an answer."""
        request, self._request = self._request, None
        if request is None:
            self._topics.close()
        else:
            request.add_done_callback(lambda _: self._topics.close())

    def _take(self, found: TopicsToRead) -> None:
        self.names = frozenset(found.topics)
        if found.unread != self._unread:
            self._unread = found.unread
            self._on_unread(found.unread)


def found_topics(admin: KafkaAdminClient, choice: TopicChoice) -> list[FoundTopic]:
    """The topics of a choice that Kafka lists, with those that we may not read.

    Raises:
        KafkaError: Kafka does not answer.
    """
    listed = admin.describe_topics(None if choice.patterns else list(choice.named))
    return [_found(topic) for topic in listed if topic["error_code"] != _ABSENT and choice.takes(topic["name"])]


def _found(topic: Mapping[str, Any]) -> FoundTopic:
    rights = topic.get("authorized_operations")  # None from Kafka before 2.3
    may_read = topic["error_code"] != _UNSEEN and (rights is None or "READ" in rights)
    topic_id = "" if topic["error_code"] == _UNSEEN else str(topic["topic_id"])
    return FoundTopic(topic["name"], topic_id, len(topic["partitions"]), may_read)


def _ids(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, str]:
    described = admin.describe_topics(sorted(names))
    errors = {topic["error_code"] for topic in described} - {NoError.errno, _ABSENT, _UNSEEN}
    for code in errors:  # one that is not ready
        raise for_code(code)(", ".join(sorted(names)))
    if described and all(topic["error_code"] == _UNSEEN for topic in described):
        raise TopicAuthorizationFailedError(", ".join(sorted(names)))
    return {topic["name"]: str(topic["topic_id"]) for topic in described if topic["error_code"] == NoError.errno}

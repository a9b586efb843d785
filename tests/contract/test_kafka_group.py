"""The source as a member of its group, against a real Kafka."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from app.backends.kafka.topic import TopicAdmin
from app.ports import RecordSource
from app.settings import KafkaSettings
from tests.contract.topics import open_quiet_source
from tests.support.servers import RunningKafka

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 60


@pytest.fixture
def source(kafka: RunningKafka) -> Iterator[RecordSource]:
    """The only member of a new group, on a new topic of four partitions."""
    name = f"group-{uuid.uuid4().hex[:12]}"
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic=name, group_id=name, topic_partitions=4)
    with closing(TopicAdmin(settings)) as admin:
        admin.ensure()
        made = open_quiet_source(settings)
        yield made
        made.close(timeout_secs=5)


# More than once, because the first group of a new broker joins so slowly that it knows the topic by then.
@pytest.mark.parametrize("attempt", range(4))
def test_partitions_come_when_polls_end_in_the_middle_of_joining(source: RecordSource, attempt: int) -> None:
    # The member of a new group often joins before it knows the topic's partitions, and once more when it does.
    deadline = time.monotonic() + TIMEOUT_SECS
    polled = source.poll(timeout_secs=0.1)
    while not polled.assigned:
        assert time.monotonic() < deadline, f"{attempt}: it does not notice the partitions that the group has assigned"
        polled = source.poll(timeout_secs=0.001)

"""The standing of a group, read from a real coordinator while members come and go."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from app.backends.kafka.group import KafkaGroup
from app.backends.kafka.topic import TopicAdmin
from app.domain.group import GroupStanding
from app.domain.records import Partition
from app.errors import TryAgainLater
from app.settings import KafkaSettings
from local.ports import LOOPBACK, free_port
from tests.contract.topics import open_quiet_source
from tests.support.servers import RunningKafka

pytestmark = pytest.mark.stack

TIMEOUT_SECS = 60


class Member:
    """A member of the group, and its last assignment."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.source = open_quiet_source(settings)
        self.partitions: frozenset[Partition] | None = None

    def poll(self) -> None:
        """As the loop does."""
        try:
            polled = self.source.poll(timeout_secs=0.1)
        except TryAgainLater:
            return
        if polled.assigned is not None:
            self.partitions = frozenset(polled.assigned)


@pytest.fixture
def settings(kafka: RunningKafka) -> KafkaSettings:
    name = f"group-{uuid.uuid4().hex[:12]}"
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic=name, group_id=name, topic_partitions=1)


@pytest.fixture
def members(settings: KafkaSettings) -> Iterator[list[Member]]:
    """Two members that share a topic of one partition."""
    with ExitStack() as stack:
        made = []
        for _ in range(2):
            admin = stack.enter_context(closing(TopicAdmin(settings)))
            admin.ensure()
            made.append(Member(settings))
        yield made
        for member in made:
            member.source.close(timeout_secs=5)


def test_one_of_two_members_that_share_a_partition_is_a_standby(settings: KafkaSettings, members: list[Member]) -> None:
    group = KafkaGroup(settings)
    deadline = time.monotonic() + TIMEOUT_SECS
    standing = GroupStanding(0, 0, is_stable=False)

    while not standing.has_standbys:
        assert time.monotonic() < deadline, standing
        for member in members:
            member.poll()
        standing = group.standing()
    for member in members:
        member.poll()

    assert standing == GroupStanding(member_count=2, partition_count=1, is_stable=True)
    assert sorted(len(member.partitions or ()) for member in members) == [0, 1]


def test_a_group_that_nobody_has_joined_has_no_standbys(settings: KafkaSettings) -> None:
    with closing(TopicAdmin(settings)) as admin:
        admin.ensure()

    standing = KafkaGroup(settings).standing()

    assert (standing.member_count, standing.partition_count, standing.has_standbys) == (0, 1, False)


def test_a_topic_that_is_not_there_and_a_kafka_that_is_not_there_are_to_be_tried_again(
    settings: KafkaSettings,
) -> None:
    nobody = settings.model_copy(update={"bootstrap_servers": f"{LOOPBACK}:{free_port()}"})

    for unreachable in (settings, nobody):
        with pytest.raises(TryAgainLater):
            KafkaGroup(unreachable).standing()

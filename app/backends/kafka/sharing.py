"""How the members of a group share the partitions of several topics. Runs at the member that Kafka made the leader."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from kafka.cluster import ClusterMetadata
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment


class EvenAssignor(RangePartitionAssignor):  # type: ignore[misc]  # kafka-python has no types
    """Gives each partition to the member that has the fewest, of those that read its topic.

    By ranges, the first partition of every topic would go to the same member: of many small topics, all of them. And
    kafka-python 3.0.12 cannot assign by turns when the members read different topics, which they do for a moment
    whenever a topic appears.
    """

    name = "even"

    @classmethod
    def assign(cls, cluster: ClusterMetadata, members: Iterable[Any]) -> dict[str, Any]:
        """See kafka-python's `AbstractPartitionAssignor`."""
        topics = {member.member_id: set(member.metadata.topics) for member in members}
        wanted = sorted(set().union(*topics.values()))
        numbers = {topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in wanted}
        return {
            member: ConsumerProtocolAssignment(cls.version, sorted(shares.items()), b"")
            for member, shares in shared_evenly(numbers, topics).items()
        }


def shared_evenly(
    numbers: Mapping[str, Iterable[int]], topics: Mapping[str, Set[str]]
) -> dict[str, dict[str, list[int]]]:
    """The partitions of each member, by topic: of `numbers` by topic, for members with these `topics`."""
    shares: dict[str, dict[str, list[int]]] = {member: {} for member in sorted(topics)}
    counts = dict.fromkeys(shares, 0)
    for topic, partitions in numbers.items():
        readers = [member for member in shares if topic in topics[member]]
        for number in partitions if readers else ():
            member = min(readers, key=lambda reader: (counts[reader], reader))
            shares[member].setdefault(topic, []).append(number)
            counts[member] += 1
    return shares

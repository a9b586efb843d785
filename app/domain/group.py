"""A consumer group as its coordinator sees it."""

from typing import NamedTuple


class GroupStanding(NamedTuple):
    """The number of members and of partitions; `is_stable` is false during a rebalance."""

    member_count: int
    partition_count: int
    is_stable: bool

    @property
    def has_standbys(self) -> bool:
        """Whether some members have no partition because there are more members than partitions."""
        return self.is_stable and self.member_count > self.partition_count

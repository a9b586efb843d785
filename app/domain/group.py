"""A consumer group as its coordinator sees it."""

from typing import NamedTuple


class GroupStanding(NamedTuple):
    """How many members share how many partitions; `is_stable` unless they are just being shared out anew."""

    member_count: int
    partition_count: int
    is_stable: bool

    @property
    def has_standbys(self) -> bool:
        """Whether some members have no partition because there are more members than partitions."""
        return self.is_stable and self.member_count > self.partition_count

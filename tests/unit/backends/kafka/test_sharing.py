"""How members share the partitions of several topics."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.backends.kafka.sharing import shared_evenly

NAMES = st.sampled_from("abcd")


def test_many_small_topics_are_spread_over_all_members() -> None:
    topics = {name: [0] for name in "abcdef"}

    shares = shared_evenly(topics, {name: set(topics) for name in ("m1", "m2", "m3")})

    assert [sum(map(len, share.values())) for share in shares.values()] == [2, 2, 2]


def test_a_member_that_does_not_read_a_topic_yet_gets_nothing_of_it() -> None:
    shares = shared_evenly({"new": [0, 1], "old": [0, 1]}, {"m1": {"old"}, "m2": {"old", "new"}})

    assert shares == {"m1": {"old": [0, 1]}, "m2": {"new": [0, 1]}}


@given(
    st.dictionaries(NAMES, st.integers(0, 5).map(lambda count: list(range(count)))),
    st.dictionaries(st.sampled_from(["m1", "m2", "m3"]), st.sets(NAMES)),
)
def test_every_partition_that_somebody_reads_has_one_owner_who_reads_its_topic(
    numbers: dict[str, list[int]], topics: dict[str, set[str]]
) -> None:
    shares = shared_evenly(numbers, topics)

    owned = Counter((topic, n) for share in shares.values() for topic, ns in share.items() for n in ns)
    assert shares.keys() == topics.keys()
    assert owned == Counter(
        (topic, n) for topic, ns in numbers.items() for n in ns if any(topic in theirs for theirs in topics.values())
    )
    assert all(topic in topics[member] for member, share in shares.items() for topic in share)

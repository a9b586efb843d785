"""Which topics are read: one by name, and more by names and patterns. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Final, NamedTuple

from msgspec import Struct

NOT_THERE: Final = "does not exist, or may not be seen"
NOT_ALLOWED: Final = "may not be read: the right Read is missing"

_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_WITH_WILDCARDS: Final = re.compile(r"[a-zA-Z0-9._*?-]{1,249}")
_KAFKAS_OWN: Final = "__"
_HIDDEN: Final = "_"  # by convention topics of tools, such as `_schemas`


class FoundTopic(NamedTuple):
    """A topic that Kafka lists. `topic_id` is "" if we may not even see it.

    `may_read` is true too where Kafka does not report our rights.
    """

    name: str
    topic_id: str
    partition_count: int
    may_read: bool = True


class TopicsToRead(NamedTuple):
    """The topics to read, by name, and why others are not read that were named or match a pattern."""

    topics: Mapping[str, FoundTopic]
    unread: Mapping[str, str]


class TopicChoice(Struct, frozen=True):
    """The topics that are read: `main`, those of `names`, and those that match one of `patterns`."""

    main: str
    names: Sequence[str] = ()
    patterns: Sequence[re.Pattern[str]] = ()

    @property
    def is_only_main(self) -> bool:
        """Whether one topic is read, whatever else Kafka has."""
        return not self.patterns and set(self.named) == {self.main}

    @property
    def named(self) -> Sequence[str]:
        """The topics that are named, the main one first."""
        return tuple(dict.fromkeys((self.main, *self.names)))

    def takes(self, name: str) -> bool:
        """Whether a topic is read if it is there."""
        if name in self.named:
            return True
        return not name.startswith(_HIDDEN) and any(pattern.match(name) for pattern in self.patterns)

    def among(self, found: Iterable[FoundTopic]) -> TopicsToRead:
        """What to read of the topics that Kafka lists."""
        taken = {topic.name: topic for topic in found if self.takes(topic.name)}
        unread = {name: NOT_THERE for name in self.named if name not in taken}
        unread |= {name: NOT_ALLOWED for name, topic in taken.items() if not topic.may_read}
        return TopicsToRead({name: topic for name, topic in taken.items() if topic.may_read}, unread)


def parse_topics(main: str, text: str) -> TopicChoice:
    """The main topic and those of a setting, comma-separated names and patterns.

    A pattern has wildcards, `*` for any characters and `?` for one, or is a regular expression, which begins with `^`
    as it does for librdkafka and need not reach the end of the name.

    Raises:
        ValueError: one of them is neither; the message says which, and what is allowed.
    """
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    patterns = [_pattern(entry) for entry in entries if not _is_name(entry)]
    return TopicChoice(main, tuple(filter(_is_name, entries)), tuple(patterns))


def _is_name(entry: str) -> bool:
    if entry.startswith(_KAFKAS_OWN):
        raise ValueError(f"must not be topics of Kafka itself; {entry!r} is one")
    return _NAME.fullmatch(entry) is not None


def _pattern(entry: str) -> re.Pattern[str]:
    if entry.startswith("^"):
        try:
            return re.compile(entry)
        except re.error as error:
            raise ValueError(f"has an expression that is not valid, {entry!r}: {error}") from error
    if _WITH_WILDCARDS.fullmatch(entry) is None:
        raise ValueError(
            r"must be names of topics and patterns, comma-separated, such as app-*,^team\.(a|b)\.; "
            f"{entry!r} is neither"
        )
    return re.compile(translate(entry))

"""Controls which partitions of a consumer yield records."""

from kafka import KafkaConsumer, TopicPartition

from app.backends.kafka.fetching import Fetching


class Flow:
    """Partitions yield records once they are started, unless they are halted or everything is paused."""

    def __init__(self, consumer: KafkaConsumer, fetching: Fetching) -> None:
        self._consumer = consumer
        self._fetching = fetching
        self._halted: set[TopicPartition] = set()
        self._is_paused = False
        self.started: set[TopicPartition] = set()

    def start(self, partition: TopicPartition) -> None:
        """Let a partition yield its records."""
        self.started.add(partition)
        self._apply()

    def halt(self, partition: TopicPartition) -> None:
        """Stop reading a partition until the next assignment."""
        self._halted.add(partition)
        self._apply()

    def pause(self) -> None:
        """Yield no records until `resume`."""
        self._is_paused = True
        self._apply()

    def resume(self) -> None:
        """Undo `pause`."""
        self._is_paused = False
        self._apply()

    def reset(self) -> None:
        """Reset for a new assignment: each partition must be started, and none is halted any more."""
        self.started.clear()
        self._halted.clear()
        self._apply()

    def readable(self) -> set[TopicPartition]:
        """Our partitions that were started and not halted."""
        return (self.started - self._halted) & self._consumer.assignment()

    def _apply(self) -> None:
        self._fetching.allow(self.readable(), is_paused=self._is_paused)

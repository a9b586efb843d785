"""librdkafka's errors as those of kafka-python, which the rest of this package knows."""

import re
from typing import Final

from confluent_kafka import KafkaError as LibraryError
from kafka import errors
from kafka.structs import OffsetAndMetadata

# librdkafka's own errors, by name: their names begin with an underscore, and their numbers are negative.
_OWN: Final[dict[str, type[errors.KafkaError]]] = {
    "_BAD_MSG": errors.CorruptRecordError,
    "_BAD_COMPRESSION": errors.CorruptRecordError,
    "_TIMED_OUT": errors.KafkaTimeoutError,
    "_TRANSPORT": errors.KafkaConnectionError,
    "_ALL_BROKERS_DOWN": errors.KafkaConnectionError,
    "_RESOLVE": errors.KafkaConnectionError,
    "_SSL": errors.KafkaConnectionError,
    "_AUTHENTICATION": errors.SaslAuthenticationFailedError,
    "_UNKNOWN_TOPIC": errors.UnknownTopicOrPartitionError,
    "_UNKNOWN_PARTITION": errors.UnknownTopicOrPartitionError,
}
_LOG_TRUNCATION: Final = -139
_TRUNCATION: Final = LibraryError(_LOG_TRUNCATION).str()
_END: Final = re.compile(r"broker end offset is (\d+)")


def as_kafka_error(error: LibraryError) -> errors.KafkaError:
    """The error of kafka-python that means the same."""
    code = error.code()
    kind = errors.for_code(code) if code > 0 else _OWN.get(error.name(), errors.KafkaError)
    return kind(f"{error.name()}: {error.str()}")


def is_out_of_range(error: LibraryError) -> bool:
    """Whether Kafka does not have the offset that was to be read, or has another record there than before."""
    return error.name() == "_AUTO_OFFSET_RESET"


def is_end(error: LibraryError) -> bool:
    """Whether it is no error: a partition was read to its end."""
    return error.name() == "_PARTITION_EOF"


def is_sum(error: LibraryError) -> bool:
    """Whether it only says that no broker is connected, and others have said why."""
    return error.name() == "_ALL_BROKERS_DOWN"


def is_truncation(error: LibraryError) -> bool:
    """Whether Kafka has lost records that were read; it has one number with `is_out_of_range`, and its own sentence."""
    return is_out_of_range(error) and _TRUNCATION in error.str()


def is_refusal(error: LibraryError) -> bool:
    """Whether a broker does not accept who we are."""
    return error.name() == "_AUTHENTICATION"


def divergence(error: LibraryError) -> OffsetAndMetadata | None:
    """From which offset on Kafka has lost records, of an error that `is_truncation`; None if it does not say so."""
    end = _END.search(error.str())
    return OffsetAndMetadata(int(end[1]), "", -1) if end else None

"""Errors, named after what the caller does next."""

from enum import StrEnum


class KafkaCode(StrEnum):
    """The kinds of Kafka errors: `code` of the errors below, and of `log_ingest_retries_total`.

    These are our own codes, so labels stay the same when the client, or its names for errors, change.
    """

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_AUTHORIZED = "not_authorized"
    UNKNOWN_TOPIC = "unknown_topic"
    NO_LEADER = "no_leader"
    NO_COORDINATOR = "no_coordinator"
    TOO_FEW_REPLICAS = "too_few_replicas"
    REBALANCE = "rebalance"
    OUT_OF_RANGE = "out_of_range"
    TOO_LARGE = "too_large"
    INVALID_RECORD = "invalid_record"
    FULL = "full"
    CLOSED = "closed"
    BROKER_ERROR = "broker_error"
    CLIENT_ERROR = "client_error"


class BadSettings(Exception):
    """The service must not start: each of `problems` is a sentence that names the setting to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TryAgainLater(Exception):
    """The other side cannot answer now; the same call may succeed later.

    `code` is a `KafkaCode`, or ClickHouse's error number, or a short word such as "unreachable" if there is no number.
    `is_outcome_unknown` is true when the request may have been carried out anyway. `max_attempts`, where set, is how
    many times in a row the call may fail like this before the caller must treat it as refused.
    """

    def __init__(
        self, reason: str, *, code: str, is_outcome_unknown: bool = False, max_attempts: int | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.is_outcome_unknown = is_outcome_unknown
        self.max_attempts = max_attempts


class TableMissing(TryAgainLater):
    """The table or its database does not exist: create it, then try again."""


class Refused(Exception):
    """The other side has definitely not stored the rows and will not as they are: send fewer or different ones."""

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason)
        self.code = code


class NotOurs(Exception):
    """The partition has moved to another member of the group: drop the records of it that are in memory."""


class MustRejoin(Exception):
    """It is unknown what the group has committed for us, and that may still change: rejoin as a new member.

    Kafka then refuses every request of the old member that is still on its way (fencing).
    """


class Abandoned(Exception):
    """The caller no longer waits for the outcome; the call may or may not have been carried out."""


class QueryTooExpensive(Exception):
    """The query needs more of a `resource` ("time", "memory", "rows") than it may use: query a shorter time range."""

    def __init__(self, resource: str, reason: str) -> None:
        super().__init__(reason)
        self.resource = resource

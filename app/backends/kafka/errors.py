"""Translates Kafka's errors into ours: one table of codes, and what a caller may do."""

from collections.abc import Sequence

from kafka import errors

from app.errors import KafkaCode, NotOurs, TryAgainLater

_LOST_MEMBERSHIP = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
    errors.RebalanceInProgressError,
    errors.FencedInstanceIdError,
)

# Errors from a broker that mean as little as no response: the request may have been carried out anyway.
_NO_RESPONSE = (errors.RequestTimedOutError, errors.NetworkExceptionError, errors.UnknownError)

# The first entry that fits counts.
_CODES: Sequence[tuple[KafkaCode, tuple[type[Exception], ...]]] = (
    (KafkaCode.REBALANCE, _LOST_MEMBERSHIP),
    (KafkaCode.TIMEOUT, (errors.KafkaTimeoutError, errors.RequestTimedOutError, TimeoutError)),
    (
        KafkaCode.NOT_AUTHENTICATED,
        (
            errors.SaslAuthenticationFailedError,
            errors.UnsupportedSaslMechanismError,
            errors.IllegalSaslStateError,
            errors.SecurityDisabledError,
        ),
    ),
    (KafkaCode.NOT_AUTHORIZED, (errors.AuthorizationError,)),
    (
        KafkaCode.UNKNOWN_TOPIC,
        (errors.UnknownTopicOrPartitionError, errors.UnknownTopicIdError, errors.InconsistentTopicIdError),
    ),
    (
        KafkaCode.NO_COORDINATOR,
        (errors.CoordinatorNotAvailableError, errors.CoordinatorLoadInProgressError, errors.NotCoordinatorError),
    ),
    (KafkaCode.TOO_FEW_REPLICAS, (errors.NotEnoughReplicasError, errors.NotEnoughReplicasAfterAppendError)),
    (
        KafkaCode.OUT_OF_RANGE,
        (errors.OffsetOutOfRangeError, errors.NoOffsetForPartitionError, errors.LogTruncationError),
    ),
    (KafkaCode.TOO_LARGE, (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)),
    (
        KafkaCode.INVALID_RECORD,
        (errors.InvalidRecordError, errors.InvalidTimestampError, errors.CorruptRecordError),
    ),
    (
        KafkaCode.UNREACHABLE,
        (
            errors.KafkaConnectionError,
            errors.NetworkExceptionError,
            errors.NodeNotReadyError,
            errors.MetadataEmptyBrokerList,
            errors.BrokerNotAvailableError,
            errors.Cancelled,
            OSError,
        ),
    ),
    (KafkaCode.NO_LEADER, (errors.InvalidMetadataError,)),  # the client's own base class for errors of metadata
    (KafkaCode.BROKER_ERROR, (errors.BrokerResponseError,)),
)


def code_of(error: Exception) -> KafkaCode:
    """Our code for an error of the client."""
    return next((code for code, kinds in _CODES if isinstance(error, kinds)), KafkaCode.CLIENT_ERROR)


def translated(error: errors.KafkaError | OSError, doing: str) -> TryAgainLater | NotOurs:
    """Our error for one of Kafka's; `doing` says what was tried, such as "commit offsets".

    Errors that only an operator can end (no permission, wrong password) are retried too: they end when the operator
    acts, and until then nothing is lost.
    """
    if isinstance(error, _LOST_MEMBERSHIP):
        return NotOurs(f"cannot {doing}: {_description(error)}")
    is_response = isinstance(error, errors.BrokerResponseError) and not isinstance(error, _NO_RESPONSE)
    reason = f"cannot {doing}: {_description(error)}"
    return TryAgainLater(reason, code=code_of(error), is_outcome_unknown=not is_response)


def try_again(error: errors.KafkaError | OSError, doing: str) -> TryAgainLater:
    """Like `translated`, for a call that is retried even when a rebalance has overtaken us."""
    ours = translated(error, doing)
    return ours if isinstance(ours, TryAgainLater) else TryAgainLater(str(ours), code=KafkaCode.REBALANCE)


def _description(error: Exception) -> str:
    name = type(error).__name__
    text = str(error)
    return text if name in text else f"{name}: {text}" if text else name

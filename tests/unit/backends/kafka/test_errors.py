"""Kafka's errors as ours."""

import pytest
from kafka import errors

from app.backends.kafka.errors import code_of, translated, try_again
from app.errors import KafkaCode, NotOurs, TryAgainLater


@pytest.mark.parametrize(
    "error",
    [
        errors.CommitFailedError("moved on"),
        errors.IllegalGenerationError(),
        errors.UnknownMemberIdError(),
        errors.RebalanceInProgressError(),
        errors.FencedInstanceIdError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_member_that_the_group_has_left_behind_owns_nothing(error: errors.KafkaError) -> None:
    assert isinstance(translated(error, "commit offsets"), NotOurs)


REFUSALS = [
    errors.TopicAuthorizationFailedError(),
    errors.SaslAuthenticationFailedError("wrong password"),
    errors.UnknownTopicOrPartitionError(),
    errors.OffsetMetadataTooLargeError(),
    errors.CoordinatorNotAvailableError(),
]
SILENCES = [
    errors.KafkaConnectionError("refused"),
    errors.KafkaTimeoutError("late"),
    errors.NodeNotReadyError("1"),
    errors.RequestTimedOutError(),
    errors.NetworkExceptionError(),
    errors.UnknownError(),
    ConnectionResetError("by peer"),
]


@pytest.mark.parametrize("error", REFUSALS + SILENCES, ids=lambda error: type(error).__name__)
def test_everything_else_may_end_by_itself_or_by_an_operator(error: errors.KafkaError | OSError) -> None:
    ours = translated(error, "poll")

    assert isinstance(ours, TryAgainLater)


def test_a_call_that_is_to_be_repeated_is_also_after_a_rebalance() -> None:
    assert try_again(errors.UnknownMemberIdError(), "poll").code == KafkaCode.REBALANCE
    assert try_again(errors.KafkaTimeoutError("late"), "poll").code == KafkaCode.TIMEOUT


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.KafkaConnectionError("refused"), KafkaCode.UNREACHABLE),
        (ConnectionResetError("by peer"), KafkaCode.UNREACHABLE),
        (errors.NodeNotReadyError("1"), KafkaCode.UNREACHABLE),
        (errors.KafkaTimeoutError("late"), KafkaCode.TIMEOUT),
        (errors.RequestTimedOutError(), KafkaCode.TIMEOUT),
        (errors.SaslAuthenticationFailedError("wrong password"), KafkaCode.NOT_AUTHENTICATED),
        (errors.TopicAuthorizationFailedError(), KafkaCode.NOT_AUTHORIZED),
        (errors.GroupAuthorizationFailedError(), KafkaCode.NOT_AUTHORIZED),
        (errors.UnknownTopicOrPartitionError(), KafkaCode.UNKNOWN_TOPIC),
        (errors.LeaderNotAvailableError(), KafkaCode.NO_LEADER),
        (errors.NotLeaderForPartitionError(), KafkaCode.NO_LEADER),
        (errors.CoordinatorLoadInProgressError(), KafkaCode.NO_COORDINATOR),
        (errors.NotEnoughReplicasError(), KafkaCode.TOO_FEW_REPLICAS),
        (errors.RebalanceInProgressError(), KafkaCode.REBALANCE),
        (errors.OffsetOutOfRangeError(), KafkaCode.OUT_OF_RANGE),
        (errors.MessageSizeTooLargeError(), KafkaCode.TOO_LARGE),
        (errors.InvalidTimestampError(), KafkaCode.INVALID_RECORD),
        (errors.OffsetMetadataTooLargeError(), KafkaCode.BROKER_ERROR),
        (errors.UnknownError(), KafkaCode.BROKER_ERROR),
        (errors.IllegalStateError("closed"), KafkaCode.CLIENT_ERROR),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_labels_get_a_code_of_ours(error: Exception, code: KafkaCode) -> None:
    assert code_of(error) is code


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_an_error_response_of_a_broker_means_not_done(error: errors.KafkaError) -> None:
    ours = translated(error, "commit offsets")

    assert isinstance(ours, TryAgainLater)
    assert not ours.is_outcome_unknown


@pytest.mark.parametrize("error", SILENCES, ids=lambda error: type(error).__name__)
def test_a_missing_response_means_an_unknown_outcome(error: errors.KafkaError | OSError) -> None:
    ours = translated(error, "commit offsets")

    assert isinstance(ours, TryAgainLater)
    assert ours.is_outcome_unknown


def test_the_reason_names_the_error_once() -> None:
    named_by_number = errors.TopicAuthorizationFailedError("topic logs")
    assert str(translated(named_by_number, "poll")).count("TopicAuthorizationFailedError") == 1
    assert str(translated(errors.KafkaTimeoutError("late"), "poll")).count("KafkaTimeoutError") == 1
    assert str(translated(errors.KafkaTimeoutError(), "poll")).count("KafkaTimeoutError") == 1
    assert str(translated(errors.KafkaTimeoutError("late"), "poll")).startswith("cannot poll: KafkaTimeoutError")
    assert "late" in str(translated(errors.KafkaTimeoutError("late"), "poll"))

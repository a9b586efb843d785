"""Kafka's errors as ours."""

import pytest
from kafka import errors

from app.backends.kafka.errors import translated
from app.errors import NotOurs, TryAgainLater


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
    assert ours.code == type(error).__name__


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: type(error).__name__)
def test_what_a_broker_has_answered_was_not_done(error: errors.KafkaError) -> None:
    ours = translated(error, "commit offsets")

    assert isinstance(ours, TryAgainLater)
    assert not ours.is_outcome_unknown


@pytest.mark.parametrize("error", SILENCES, ids=lambda error: type(error).__name__)
def test_what_no_broker_has_answered_may_have_been_done(error: errors.KafkaError | OSError) -> None:
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

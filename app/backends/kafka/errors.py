"""Kafka's errors as ours: one table."""

from kafka import errors

from app.errors import NotOurs, TryAgainLater

_LOST_MEMBERSHIP = (
    errors.CommitFailedError,
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
    errors.RebalanceInProgressError,
    errors.FencedInstanceIdError,
)

# Answers of a broker that say no more than silence does: the request may have been carried out all the same.
_NO_ANSWER = (errors.RequestTimedOutError, errors.NetworkExceptionError, errors.UnknownError)


def translated(error: errors.KafkaError | OSError, doing: str) -> TryAgainLater | NotOurs:
    """Our error for one of Kafka's; `doing` says what was tried, such as "commit offsets".

    Errors that only an operator can end (no permission, wrong password) are to be tried again too: they end when the
    operator acts, and until then nothing is lost.
    """
    if isinstance(error, _LOST_MEMBERSHIP):
        return NotOurs(f"cannot {doing}: {_words(error)}")
    name = type(error).__name__
    is_answer = isinstance(error, errors.BrokerResponseError) and not isinstance(error, _NO_ANSWER)
    return TryAgainLater(f"cannot {doing}: {_words(error)}", code=name, is_outcome_unknown=not is_answer)


def _words(error: Exception) -> str:
    name = type(error).__name__
    text = str(error)
    return text if name in text else f"{name}: {text}" if text else name

"""Tests of workarounds that no contract test reaches, on the client's own parts."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka.producer.transaction_manager import InitProducerIdHandler, ProducerIdAndEpoch, TransactionManager

from app.backends.kafka.workarounds import ask_again_for_lost_ids


@pytest.fixture
def manager() -> Any:
    """That of a producer which has its id."""
    made = TransactionManager(api_version=(2, 8))
    producer = SimpleNamespace(_transaction_manager=made)
    ask_again_for_lost_ids(producer)
    made.init_producer_id()
    answer(made, number=1)
    return made


def answer(manager: Any, number: int) -> None:
    """The broker gives it an id."""
    handler = manager.next_request_handler(False)
    assert isinstance(handler, InitProducerIdHandler)
    handler.handle_response(SimpleNamespace(error_code=0, producer_id=number, producer_epoch=0))


def test_a_producer_that_has_given_up_its_id_gets_another_one(manager: Any) -> None:
    manager.reset_producer_id()
    assert not manager.has_producer_id()

    manager.init_producer_id()  # as the client does in every round without an id
    answer(manager, number=2)

    assert manager.producer_id_and_epoch == ProducerIdAndEpoch(2, 0)


def test_a_producer_that_gives_up_its_id_while_it_gets_a_new_epoch_asks_once(manager: Any) -> None:
    manager.bump_producer_id_and_epoch()
    manager.reset_producer_id()

    manager.init_producer_id()
    answer(manager, number=1)

    assert manager.next_request_handler(False) is None
    assert manager.has_producer_id()

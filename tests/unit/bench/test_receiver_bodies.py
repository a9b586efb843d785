"""The bench of receivers posts what they take: every event of a request becomes a row with its message."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from bench.receiver_bodies import PROTOCOLS, Protocol
from bench.workload import backlog_events
from tests.support.receivers import Receivers

_EVENTS = 30


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_every_event_of_a_request_is_stored(protocol: Protocol) -> None:
    receivers = Receivers()
    events = [json.loads(event) for event in islice(backlog_events(_EVENTS), _EVENTS)]

    response = receivers.post(protocol.path, protocol.body(events), protocol.media_type)

    assert response.status_code // 100 == 2, response.text
    rows = receivers.rows()
    assert sorted(row["message"] for row in rows) == sorted(event["message"] for event in events)
    assert {row["service"] for row in rows} == {event["service"] for event in events}

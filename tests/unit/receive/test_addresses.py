"""Addresses as people write them in settings of clients: with a slash at the end, and without."""

from __future__ import annotations

import pytest

from tests.support.receivers import Receivers

PATHS = {
    "/api/v1/logs": '{"message":"m"}',
    "/api/v2/logs": '{"message":"m"}',
    "/v1/input": '{"message":"m"}',
    "/gelf": '{"version":"1.1","host":"kiln","short_message":"m"}',
    "/pubsub/push": '{"message":{"data":"bQ==","messageId":"1"},"subscription":"s"}',
    "/services/collector": '{"event":"m"}',
    "/services/collector/event": '{"event":"m"}',
    "/services/collector/raw": "m",
    "/v1/logs": '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"m"}}]}]}]}',
    "/loki/api/v1/push": '{"streams":[{"stream":{"a":"b"},"values":[["1795960800000000000","m"]]}]}',
    "/elasticsearch/_bulk": '{"index":{}}\n{"message":"m"}\n',
    "/elasticsearch/shop/_doc": '{"message":"m"}',
}


@pytest.mark.parametrize("path", PATHS)
def test_a_slash_at_the_end_makes_no_difference(path: str) -> None:
    receivers = Receivers()

    statuses = [receivers.post(written, PATHS[path], "application/json").status_code for written in (path, f"{path}/")]

    assert statuses[0] == statuses[1]
    assert [row["message"] for row in receivers.rows()] == ["m", "m"]


@pytest.mark.parametrize("path", PATHS)
def test_such_a_request_has_a_thread_of_those_for_logs(path: str) -> None:
    assert Receivers().lane.takes("POST", f"{path}/")

"""Pushes of Google Pub/Sub: messages wrapped and not, entries of Cloud Logging, the identity that pushes."""

from __future__ import annotations

import base64
import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access import oidc
from app.access.discovery import Discovery
from app.access.identity_rights import read_identity_rights
from app.access.signing_keys import SigningKeys
from app.api.authentication import CredentialAuthenticator
from app.api.id_tokens import by_id_token
from app.environment import read_settings
from app.errors import KafkaCode, TryAgainLater
from app.receive.pubsub import read
from app.receive.received import Posted
from tests.support.issuer import Issuer
from tests.support.receivers import Receivers
from tests.support.recipes import snippet

PATH = "/pubsub/push"
ENTRY = {
    "insertId": "i",
    "logName": "projects/p/logs/stdout",
    "jsonPayload": {"message": "card declined", "user": "u"},
    "severity": "ERROR",
    "timestamp": "2026-11-29T13:58:20.123456789Z",
    "receiveTimestamp": "2026-11-29T13:58:21Z",
    "resource": {
        "type": "k8s_container",
        "labels": {"project_id": "p", "namespace_name": "n", "pod_name": "shop-1", "container_name": "shop"},
    },
    "labels": {"env": "prod"},
    "trace": "projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736",
    "spanId": "00f067aa0ba902b7",
    "sourceLocation": {"file": "a.py", "line": "12", "function": "f"},
    "httpRequest": {"requestMethod": "GET", "requestUrl": "https://x.example/", "status": 402, "latency": "0.5s"},
}


def pushed(data: bytes | str, **message: Any) -> str:
    """As in Google's documentation."""
    encoded = base64.b64encode(data.encode() if isinstance(data, str) else data).decode()
    return json.dumps(
        {
            "message": {
                "attributes": {"logging.googleapis.com/timestamp": "2026-11-29T13:58:20Z"},
                "data": encoded,
                "messageId": "2070443601311540",
                "message_id": "2070443601311540",
                "publishTime": "2026-11-29T13:58:22.19Z",
                "publish_time": "2026-11-29T13:58:22.19Z",
                **message,
            },
            "subscription": "projects/p/subscriptions/logs",
            "deliveryAttempt": 2,
        }
    )


def test_an_entry_of_cloud_logging() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, pushed(json.dumps(ENTRY)), "application/json")

    assert (response.status_code, response.data) == (204, b"")
    [row] = receivers.rows()
    assert (row["timestamp"], row["level"], row["service"], row["message"]) == (
        "2026-11-29T13:58:20.123456789Z",
        "ERROR",
        "shop",
        "card declined",
    )
    assert (row["trace_id"], row["span_id"]) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert row["response_time_ms"] == 500
    assert row["resource"]["k8s.pod.name"] == "shop-1"
    attributes = row["attributes"]
    assert (attributes["user"], attributes["labels.env"], attributes["sourceLocation.line"]) == ("u", "prod", "12")
    assert {name: text for name, text in attributes.items() if "message." in name or "deliv" in name} == {
        "log.receiver.message.id": "2070443601311540",
        "log.receiver.message.time": "2026-11-29T13:58:22.19Z",
        "log.receiver.message.attribute.logging.googleapis.com/timestamp": "2026-11-29T13:58:20Z",
        "log.receiver.delivery.attempt": "2",
    }
    assert attributes["log.receiver.subscription"] == "projects/p/subscriptions/logs"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("plain text", "plain text"),
        ("ERROR boom\n\tat a.B.c(B.java:1)", "ERROR boom\n\tat a.B.c(B.java:1)"),
        (json.dumps({"msg": "m", "level": "info"}, indent=2), "m"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_a_message_is_an_event_whatever_it_holds(data: bytes | str, message: str) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, pushed(data)).status_code == 204
    assert [row["message"] for row in receivers.rows()] == [message]


def test_a_message_without_a_wrapper() -> None:
    receivers = Receivers()

    response = receivers.post(
        PATH,
        json.dumps(ENTRY),
        "application/json",
        x_goog_pubsub_message_id="7",
        x_goog_pubsub_subscription_name="projects/p/subscriptions/logs",
        x_goog_pubsub_publish_time="2026-11-29T13:58:22.19Z",
    )

    assert response.status_code == 204
    [row] = receivers.rows()
    assert (row["message"], row["attributes"]["log.receiver.message.id"]) == ("card declined", "7")


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        '{"message":"m","subscription":"s"}',
        '{"message":{"data":5},"subscription":"s"}',
        '{"message":{"data":"!"},"subscription":"s"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_stored_all_the_same(body: str) -> None:
    """Pub/Sub would send it again for ever."""
    receivers = Receivers()

    assert receivers.post(PATH, body, "application/json").status_code == 204
    assert len(receivers.rows()) == 1
    assert receivers.count("stored", "pubsub") == 1


def test_a_message_of_attributes_alone() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, pushed("", attributes={"a": "b"})).status_code == 204
    [row] = receivers.rows()
    assert row["attributes"]["a"] == "b"


def test_nothing_is_acknowledged() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, "").status_code == 204
    assert not receivers.publisher.records


def test_without_kafka_it_is_sent_again() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    assert receivers.post(PATH, pushed("m")).status_code == 503


def test_a_message_that_no_record_can_hold_is_not_acknowledged() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000

    assert receivers.post(PATH, pushed("x" * 5000)).status_code == 413
    assert receivers.post(PATH, pushed("x" * 3000, attributes={"a": "b" * 3000})).status_code == 413
    assert receivers.post(PATH, pushed("x" * 3000)).status_code == 204


def test_the_identity_that_pushes() -> None:
    """With the settings of the recipe."""
    environ = dict(word.split("=", 1) for word in shlex.split(snippet("Google Cloud Logging", "env")))
    auth = read_settings(environ).auth
    google = Issuer(str(auth.oidc_issuer))
    keys = SigningKeys(Discovery(google.url, google.document, lambda: 0.0).keys, lambda: 0.0)
    by_google = by_id_token(
        oidc.Issuer(google.url, (auth.oidc_audiences,), keys), read_identity_rights(auth.oidc_rights)
    )
    receivers = Receivers(authenticator=CredentialAuthenticator([by_google]))
    account = "log-push@my-project.iam.gserviceaccount.com"

    def status(**claims: object) -> int:
        token = google.token(**{"aud": "https://logs.example.org", "email": account, **claims})
        return receivers.post(PATH, pushed("m"), Authorization=f"Bearer {token}").status_code

    assert status() == 204
    assert status(email="other@my-project.iam.gserviceaccount.com") == 403
    assert status(email_verified=False) == 403
    assert status(aud="another") == 401
    assert status(iss="https://issuer.example") == 401
    assert status(exp=1) == 401
    assert receivers.post(PATH, pushed("m")).status_code == 401
    [row] = receivers.rows()
    assert row["attributes"]["log.receiver.token"] == account


@given(st.binary())
def test_data_stay_what_they_are(data: bytes) -> None:
    received = read(Posted(pushed(data, attributes={}).encode()))

    assert [piece.value for piece in received.pieces] == ([data] if data.strip() else [])
    assert received.said["message.id"] == "2070443601311540"


@given(st.binary() | st.text('{}[]",:\\ \nmesag1').map(str.encode))
def test_any_bytes_are_an_event(body: bytes) -> None:
    assert [piece.value for piece in read(Posted(body)).pieces] == ([body] if body.strip() else [])

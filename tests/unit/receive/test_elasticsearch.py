"""Bulk requests to Elasticsearch: what its clients send, what they get, and the rows."""

from __future__ import annotations

import base64
import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.access.principal import Right
from app.access.tokens import Token
from app.api.authentication import CredentialAuthenticator, by_token
from app.errors import KafkaCode, TryAgainLater
from app.receive import elasticsearch
from app.receive.received import Unreadable
from tests.support.receivers import Receivers
from tests.support.token_secrets import secret_of

BULK = "/elasticsearch/_bulk"
NDJSON = "application/x-ndjson"
DOCUMENT: dict[str, Any] = {
    "@timestamp": "2026-11-29T10:15:01.123Z",
    "message": "stock is low",
    "log.level": "warn",
    "service": {"name": "shop"},
    "host": {"name": "kiln"},
    "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "item": 42,
}
STORED = {
    "_version": 1,
    "result": "created",
    "_shards": {"total": 1, "successful": 1, "failed": 0},
    "_seq_no": 0,
    "_primary_term": 1,
    "status": 201,
}


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def attributes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.get("attributes", {}).items() if not name.startswith("log.receiver.")}


def items_of(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"
    answer = response.json or {}
    assert answer.keys() == {"took", "errors", "items"}
    assert answer["errors"] == any("error" in result for item in answer["items"] for result in item.values())
    return list(answer["items"])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_documents_are_stored(method: str) -> None:
    receivers = Receivers()
    body = lines({"create": {"_index": "logs-shop", "_id": "a1"}}, DOCUMENT, {"index": {"_index": "other"}}, {"a": 1})

    response = receivers.request(method, BULK, body, "application/vnd.elasticsearch+x-ndjson; compatible-with=9")

    first, second = items_of(response)
    assert first == {"create": {"_index": "logs-shop", "_id": "a1", **STORED}}
    assert second == {"index": {"_index": "other", "_id": second["index"]["_id"], **STORED}}
    one, other = receivers.rows()
    assert (one["timestamp"], one["level"], one["message"]) == ("2026-11-29T10:15:01.123Z", "WARN", "stock is low")
    assert (one["service"], one["resource"]["host.name"]) == ("shop", "kiln")
    assert one["trace_id"] == DOCUMENT["trace.id"]
    assert attributes(one) == {"item": "42", "_index": "logs-shop", "_id": "a1"}
    assert attributes(other) == {"a": "1", "_index": "other"}
    assert one["attributes"]["log.receiver.name"] == "elasticsearch"


@pytest.mark.parametrize(
    "path",
    [
        *("/elasticsearch/shop/_bulk", "/shop/_bulk", "/elasticsearch/_bulk?index=shop", "/_bulk?index=shop&refresh"),
        *("/elasticsearch//shop/_bulk", "/elasticsearch//_bulk?index=shop", "/elasticsearch/shop/_bulk/"),
        *("/elasticsearch/shop/_doc/_bulk", "/elasticsearch/shop/logevent/_bulk"),
    ],
)
def test_the_index_may_be_in_the_address(path: str) -> None:
    receivers = Receivers()

    [item] = items_of(receivers.post(path, lines({"create": {}}, {"message": "m"}), NDJSON))

    assert item["create"]["_index"] == "shop"
    assert [attributes(row) for row in receivers.rows()] == [{"_index": "shop"}]


@pytest.mark.parametrize(
    ("body", "media_type", "headers"),
    [
        ('{"index":{}}\n{"message":"m"}', NDJSON, {}),
        ('{"index":{}}\n{"message":"m"}\n\n', "application/json; charset=utf-8", {}),
        ('\n\r\n{"index": {} }\r\n\r\n{"message":"m"}\r\n \n', "application/json", {}),
        ('{"index":{}}\n{"message":"m"}\n', "application/x-www-form-urlencoded", {}),
        ('{"index":{}}\n{"message":"m"}\n', "", {}),
        ('{"index":{},"attempts":0}\n{"message":"m"}\n', NDJSON, {}),  # winston-elasticsearch
        ('{"index":null}\n{"message":"m"}\n', "application/vnd.elasticsearch+x-ndjson;compatible-with=8", {}),
        (
            gzip.compress(b'{"index":{"_type":"_doc"}}\n{"message":"m"}\n', mtime=0),
            NDJSON,
            {"Content_Encoding": "gzip"},
        ),
    ],
)
def test_ways_to_write_a_request(body: bytes | str, media_type: str, headers: dict[str, str]) -> None:
    receivers = Receivers()

    [item] = items_of(receivers.post(BULK, body, media_type, **headers))

    assert item["index"] == {"_index": "logs", "_id": item["index"]["_id"], **STORED}
    [row] = receivers.rows()
    assert (row["message"], attributes(row)) == ("m", {})


def test_an_id_is_kept_without_an_index() -> None:
    receivers = Receivers()

    [item] = items_of(receivers.post(BULK, lines({"create": {"_id": 7}}, {"message": "m"}), NDJSON))

    assert item["create"]["_id"] == "7"
    assert [attributes(row) for row in receivers.rows()] == [{"_id": "7"}]


def test_ids_that_are_made_differ() -> None:
    receivers = Receivers()
    body = lines({"create": {}}, {"a": 1}, {"create": {}}, {"a": 2})

    items = [item for _ in range(2) for item in items_of(receivers.post(BULK, body, NDJSON))]

    assert len({item["create"]["_id"] for item in items}) == 4


def test_what_cannot_be_stored_is_answered_item_by_item() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000
    good, big = json.dumps({"message": "good"}), json.dumps({"message": "x" * 9000})
    body = "\n".join(
        [
            *('{"create":{"_index":"i","_id":"0"}}', good),
            *('{"create":{"_index":"i","_id":"1"}}', "{broken"),
            *('{"index":{"_index":"i","_id":"2"}}', "[1]"),
            *('{"update":{"_index":"i","_id":"3"}}', '{"doc":{}}'),
            '{"delete":{"_index":"i","_id":"4"}}',
            *('{"index":{"_index":"i","_id":"5"}}', big),
            *('{"index":{"_index":"i","_id":"6"}}', good),
            "",
        ]
    )

    items = items_of(receivers.post(BULK, body, NDJSON))

    assert [next(iter(item)) for item in items] == ["create", "create", "index", "update", "delete", "index", "index"]
    results = [result for item in items for result in item.values()]
    assert [result["_id"] for result in results] == list("0123456")
    assert [result["status"] for result in results] == [201, 400, 400, 400, 400, 400, 201]
    assert [result["error"]["type"] for result in results if "error" in result] == [
        *("document_parsing_exception",) * 2,
        *("illegal_argument_exception",) * 2,
        "document_parsing_exception",
    ]
    assert "larger than a record may be" in results[5]["error"]["reason"]
    assert [row["message"] for row in receivers.rows()] == ["good", "good"]
    assert receivers.count("stored", "elasticsearch") == 2
    assert receivers.count("refused", "elasticsearch") == 5


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b'{"message":"m","n":NaN}', "m"),
        (b'{"message":"cut \\ud83d"}', "cut \ufffd"),
        (b'{"message":"caf\xe9"}', "caf\ufffd"),
    ],
)
def test_documents_that_are_nearly_json_are_stored_and_flagged(document: bytes, message: str) -> None:
    receivers = Receivers()

    items_of(receivers.post(BULK, b'{"index":{"_index":"i"}}\n' + document + b"\n", NDJSON))

    [row] = receivers.rows()
    assert (row["message"], row["attributes"]["_index"]) == (message, "i")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "request body is required"),
        ("\n\n", "request body is required"),
        ("x\n", "Malformed action/metadata line [1]"),
        ('{"message":"no action"}\n', "Malformed action/metadata line [1]"),
        ("[]\n{}\n", "Malformed action/metadata line [1]"),
        ('{"create":1}\n{}\n', "Malformed action/metadata line [1]"),
        ('{"create":{},"index":{}}\n{}\n', "Malformed action/metadata line [1]"),
        ('{"create":{}}\n{"a":1}\n\n{"a":2}\n', "Malformed action/metadata line [4]"),
        ('{"create":{}}\n{"a":1}\n{"create":{}}\n', "line [3] has no document"),
        ('{"create":' + "[" * 100_000 + "\n", "Malformed action/metadata line [1]"),
        ('{"create":' + '{"a":' * 100_000 + "\n", "Malformed action/metadata line [1]"),
    ],
)
def test_nothing_of_a_malformed_request_is_stored(body: str, reason: str) -> None:
    receivers = Receivers()

    response = receivers.post(BULK, body, NDJSON)

    assert (response.status_code, response.content_type) == (400, "application/json")
    answer = response.json or {}
    assert answer["status"] == 400
    assert answer["error"]["type"] == answer["error"]["root_cause"][0]["type"] == "illegal_argument_exception"
    assert reason in answer["error"]["reason"]
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"
    assert not receivers.publisher.records


def test_a_request_with_too_many_actions() -> None:
    receivers = Receivers()

    response = receivers.post(BULK, '{"delete":{}}\n' * (elasticsearch.MAX_ITEMS + 1), NDJSON)

    assert (response.status_code, (response.json or {})["error"]["type"]) == (413, "content_too_long_exception")


def test_without_kafka_the_whole_request_may_be_retried() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(BULK, lines({"create": {}}, DOCUMENT), NDJSON)

    assert (response.status_code, (response.json or {})["status"]) == (503, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/elasticsearch/shop/_doc?refresh=true", {}),
        ("/elasticsearch//shop/_doc", {}),
        ("/elasticsearch/shop/_doc/a-1", {"_id": "a-1"}),
        ("/elasticsearch/shop/_create/a-1", {"_id": "a-1"}),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_document(path: str, known: dict[str, str], indent: int | None) -> None:
    receivers = Receivers()

    response = receivers.post(path, json.dumps(DOCUMENT, indent=indent), "application/json")

    answer = response.json or {}
    assert (response.status_code, answer["result"]) == (201, "created")
    assert {"_index": "shop", "_id": answer["_id"], **known}.items() <= answer.items()
    [row] = receivers.rows()
    assert (row["message"], attributes(row)) == ("stock is low", {"item": "42", "_index": "shop", **known})


@pytest.mark.parametrize(
    "body", ["", "[1]", "text", '{"a":1}\n{"a":2}', '{"a":"1\n2"}', json.dumps({"message": "x" * 9000})]
)
def test_a_single_document_that_cannot_be_stored(body: str) -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000

    response = receivers.post("/elasticsearch/shop/_doc", body, "application/json")

    assert (response.status_code, (response.json or {})["error"]["type"]) == (400, "illegal_argument_exception")
    assert not receivers.publisher.records


@pytest.mark.parametrize("path", ["/elasticsearch", "/elasticsearch/", "/elasticsearch//"])
def test_clients_find_a_version(path: str) -> None:
    receivers = Receivers()
    accept = "application/vnd.elasticsearch+json; compatible-with=9"

    response = receivers.request("GET", path, Accept=accept)

    assert (response.json or {})["version"]["number"].startswith("8.")
    assert response.content_type == "application/vnd.elasticsearch+json;compatible-with=9"
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"
    assert receivers.request("HEAD", path).status_code == 200


@pytest.mark.parametrize(
    "request_line",
    [
        *("GET /_license?human=false", "GET /_xpack", "GET /_cluster/health", "GET /_nodes/http", "GET /_nodes"),
        *("GET /_ilm/policy/filebeat", "PUT /_ilm/policy/filebeat", "HEAD /_index_template/filebeat-9.1.0"),
        *("PUT /_index_template/filebeat", "HEAD /_template/logstash", "PUT /_template/logstash"),
        *("PUT /_ingest/pipeline/a-b", "GET /_ingest/pipeline/a-b", "GET /_data_stream/logs", "GET /_alias"),
        *("HEAD /_alias/logs", "POST /_aliases", "HEAD /shop-2026", "PUT /%3Cshop-%7Bnow%7D%3E", "GET /_cat/health"),
        *("GET /shop/_refresh", "GET /_cluster/health/shop", "HEAD //_template/logstash", "PUT /_data_stream/logs/"),
    ],
)
def test_clients_find_what_they_look_for_at_their_start(request_line: str) -> None:
    method, path = request_line.split()

    has_body = method in ("PUT", "POST")

    response = Receivers().request(
        method, f"/elasticsearch{path}", "{}" if has_body else "", "application/json" if has_body else ""
    )

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"


@pytest.mark.parametrize("request_line", ["POST /shop/_search", "GET /_sql/close/x", "GET /_cat/indices"])
def test_there_is_nothing_else(request_line: str) -> None:
    method, path = request_line.split()

    response = Receivers().request(method, f"/elasticsearch{path}")

    assert (response.status_code, (response.json or {})["error"]["type"]) == (404, "resource_not_found_exception")
    assert response.headers["X-Elastic-Product"] == "Elasticsearch"


@pytest.mark.parametrize("path", [BULK, "/elasticsearch", "/elasticsearch/_license"])
def test_a_token_is_needed_and_sent_as_clients_do(path: str) -> None:
    secret = secret_of("shipper")
    token = Token("shipper", (Right.INGEST,), b"")
    receivers = Receivers(authenticator=CredentialAuthenticator([by_token({secret: token}.get)]))
    key = base64.b64encode(f"id:{secret}".encode()).decode()
    method, body = ("POST", lines({"index": {}}, DOCUMENT)) if path == BULK else ("GET", "")

    refused = receivers.request(method, path, body, NDJSON)
    taken = [receivers.request(method, path, body, NDJSON, Authorization=f"ApiKey {text}") for text in (secret, key)]

    assert (refused.status_code, (refused.json or {})["error"]["type"]) == (401, "security_exception")
    assert refused.headers["X-Elastic-Product"] == "Elasticsearch"
    assert [response.status_code for response in taken] == [200, 200]


ACTIONS = st.sampled_from(["create", "index"])
DOCUMENTS = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=10), max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ACTIONS, DOCUMENTS), min_size=1, max_size=8))
def test_every_document_is_sent_once(actions: list[tuple[str, dict[str, Any]]]) -> None:
    body = "\n".join(json.dumps(line) for action, document in actions for line in ({action: {"_index": "i"}}, document))

    bulk = elasticsearch.read(body.encode())

    assert [item.action for item in bulk.items] == [action for action, _ in actions]
    assert [piece.event for piece in bulk.received.pieces] == list(range(len(actions)))
    assert [json.loads(piece.value)["_source"] for piece in bulk.received.pieces] == [doc for _, doc in actions]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.binary(max_size=20) | st.sampled_from([b'{"index":{}}', b'{"delete":{"_id":[]}}', b"{}"]), max_size=6)
)
def test_any_lines_are_a_request_or_unreadable(parts: list[bytes]) -> None:
    with suppress(Unreadable):
        elasticsearch.read(b"\n".join(parts))

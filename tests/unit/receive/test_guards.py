"""What every path of every receiver refuses: other rights, tokens in URLs, pages of other sites, names in disguise."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator

import pytest
import zstandard

from app.api.status_routes import STATUS_PATHS
from tests.support.receivers import READER, SHIPPER, Receivers, token_needed

_VALUES = {"path:rest": "_license", "index": "logs", "kind": "_doc", "id": "1"}
_OPEN = ("/services/collector/health", "/services/collector/health/1.0")
"""Paths that need no token, and say no more than whether Kafka can be reached."""


def _requests() -> Iterator[tuple[str, str]]:
    for rule in Receivers().application.url_map.iter_rules():
        path = re.sub(r"<([^>]+)>", lambda found: _VALUES[found[1]], rule.rule)
        if path not in STATUS_PATHS:
            yield from ((method, path) for method in sorted((rule.methods or set()) - {"OPTIONS"}))


REQUESTS = list(_requests())
BODY = '{"event":"e","message":"m"}'

OTHER_SITES = {
    "a form, or fetch with no-cors": {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    "a site beside this one": {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
    "an older browser": {"Origin": "https://evil.example"},
    "a frame without an origin": {"Origin": "null"},
    "a rebound name": {"Host": "evil.example"},
}


def test_each_path_is_tried() -> None:
    assert {("POST", "/api/v1/logs"), ("PUT", "/logs/_bulk"), ("DELETE", "/elasticsearch/_license")} <= {*REQUESTS}


@pytest.mark.parametrize("page", OTHER_SITES)
def test_no_page_of_another_site_sends_logs(page: str) -> None:
    receivers = Receivers()

    # text/plain is what a browser sends without asking first.
    statuses = {receivers.request(*to, BODY, "text/plain", **OTHER_SITES[page]).status_code for to in REQUESTS}

    assert statuses <= {403, 421}
    assert not receivers.publisher.records


def test_no_token_but_one_that_may_send_gets_anything_in() -> None:
    receivers = Receivers(authenticator=token_needed())
    guarded = [to for to in REQUESTS if to[1] not in _OPEN]

    assert {receivers.request(*to, BODY, "text/plain").status_code for to in guarded} == {401}
    reader = {"Authorization": f"Bearer {READER}"}
    assert {receivers.request(*to, BODY, "text/plain", **reader).status_code for to in guarded} == {403}
    assert not receivers.publisher.records


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "dd-api-key", "authorization"])
def test_a_token_in_the_url_is_not_read_nor_repeated(name: str) -> None:
    receivers = Receivers(authenticator=token_needed())

    for method, path in REQUESTS:
        response = receivers.request(method, f"{path}?{name}={SHIPPER}", BODY, "text/plain")

        assert response.status_code in ((200, 503) if path in _OPEN else (400, 401))
        assert SHIPPER not in response.get_data(as_text=True) + str(response.headers)
    assert not receivers.publisher.records


@pytest.mark.parametrize("index", ["..", "%2e%2e", "live", "metrics", "a%0d%0aSet-Cookie:x=1", "%00", "%ff", "_all"])
def test_an_odd_index_is_a_text_and_nothing_else(index: str) -> None:
    receivers = Receivers()

    response = receivers.post(f"/elasticsearch/{index}/_bulk", '{"index":{}}\n{"message":"m"}\n')

    assert response.status_code == 200
    assert json.loads(response.data)["items"][0]["index"]["status"] == 201
    assert not {"Set-Cookie", "Location"} & {*response.headers.keys()}
    assert len(receivers.publisher.records) == 1


@pytest.mark.parametrize("path", ["/api/v1/logs/_bulk", "/api%2fv1%2flogs/_bulk", "/a/../b/_bulk", "/_bulk/a"])
def test_an_index_and_a_type_are_one_part_of_a_path_each(path: str) -> None:
    receivers = Receivers()

    assert receivers.post(path, '{"index":{}}\n{"message":"m"}\n').status_code == 404
    assert not receivers.publisher.records


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda zeros: gzip.compress(zeros, 1),
    "deflate": lambda zeros: zlib.compress(zeros, 1),
    "zstd": zstandard.compress,
    "snappy": lambda zeros: b"\xff\xff\xff\xff\x0f" + b"\0a" + b"\xfe\1\0" * 1024,  # claims 4 GiB
}


@pytest.mark.parametrize("encoding", BOMBS)
def test_no_path_unpacks_more_than_a_body_may_have(encoding: str) -> None:
    receivers, bomb = Receivers(), BOMBS[encoding](bytes(64 * 1024 * 1024))

    for method, path in REQUESTS:
        if method in ("POST", "PUT") and "_license" not in path and path.strip("/") != "elasticsearch":
            response = receivers.request(method, path, bomb, "application/x-protobuf", Content_Encoding=encoding)

            refusals = {400, 413, 415} if encoding == "snappy" else {413, 415}
            assert response.status_code in refusals, path
    assert not receivers.publisher.records


def test_headers_of_http_are_no_receipt() -> None:
    receivers = Receivers()

    receivers.post(
        "/api/v1/logs", BODY, log_receipt='{"v":1,"token":"shop"}', log_receipt_mac="x", Log_Receiver_Token="shop"
    )

    [row] = receivers.rows()
    assert not [name for name in row["attributes"] if "receiver.token" in name or "receipt" in name]
    assert [name for name, _ in receivers.publisher.records[0].headers if name.startswith("log-")] == [
        "log-receipt",
        "log-receipt-mac",
    ]

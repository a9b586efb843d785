"""Who sends a request, by every header in which a token may come, and what they may do."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from app.access.principal import GRANTED, Principal, Right
from app.access.tokens import Token, Tokens, digest_of, new_secret
from app.api.authentication import CredentialAuthenticator, by_token
from app.api.endpoint import Endpoint, Request
from app.api.request_parameters import AnyParameters
from app.api.routes import add_routes
from tests.support.token_secrets import secret_of

NOW = datetime(2026, 11, 30, tzinfo=UTC)
READER, SHIPPER, EXPIRED = secret_of("reader"), secret_of("shipper"), secret_of("expired")
TOKENS = Tokens(
    [
        Token("grafana", (Right.READ,), digest_of(READER)),
        Token("shipper", (Right.INGEST,), digest_of(SHIPPER)),
        Token("old", GRANTED, digest_of(EXPIRED), expires=NOW),
    ]
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def http() -> FlaskClient:
    """An endpoint for each right, which answers with the name of the principal."""

    def who(request: Request[AnyParameters]) -> Response:
        return Response(request.principal.name)

    endpoints: list[Endpoint[Any]] = [
        Endpoint(path=f"/{right.value}", parameters=AnyParameters, right=right, handle=who) for right in Right
    ]
    app = Flask("test")
    add_routes(app, endpoints, CredentialAuthenticator([by_token(lambda secret: TOKENS.of_secret(secret, NOW))]))
    return app.test_client()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", f"Bearer {READER}"),
        ("Authorization", f"bearer   {READER} "),
        ("Authorization", f"Basic {encoded(f'anybody:{READER}')}"),
        ("Authorization", f"Basic {encoded(f':{READER}')}"),
        ("Authorization", f"ApiKey {READER}"),
        ("Authorization", f"ApiKey {encoded(f'an-id:{READER}')}"),
        ("Authorization", f"Splunk {READER}"),
        ("X-Api-Key", READER),
        ("DD-API-KEY", READER),
    ],
)
def test_a_token_is_accepted_in_every_usual_header(name: str, value: str) -> None:
    answer = http().get("/read", headers={name: value})

    assert (answer.status_code, answer.text) == (200, "grafana")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", READER),
        ("Authorization", f"Digest {READER}"),
        ("Authorization", f"Basic {READER}"),
        ("Authorization", f"Basic {encoded(f'{READER}:')}"),
        ("Authorization", f"Basic {encoded(READER)}"),
        ("Authorization", "Basic ///"),
        ("Authorization", "Basic /////w=="),
        ("Authorization", "Basic é"),
        ("Authorization", "Bearer"),
        ("Authorization", f"Bearer {READER}x"),
        ("Authorization", f"Bearer {EXPIRED}"),
        ("Authorization", f"Bearer {secret_of('unknown')}"),
        ("Authorization", "Bearer lat_" + "é" * 43),
        ("X-Api-Key", ""),
        ("DD-API-KEY", "x"),
        ("Cookie", f"token={READER}"),
    ],
)
def test_anything_else_is_a_401_that_says_how_to_send_one(name: str, value: str) -> None:
    answer = http().get("/read", headers={name: value})

    assert answer.status_code == 401
    assert [kind.type for kind in [answer.www_authenticate]] == ["bearer"]
    assert answer.headers.getlist("WWW-Authenticate")[1:] == ['Basic realm="log analytics"']
    assert answer.json is not None
    assert READER not in answer.text
    assert "token" in answer.json["error"]["message"]


@pytest.mark.parametrize("name", ["token", "api_key", "access_token", "key"])
def test_a_token_in_the_url_is_not_read(name: str) -> None:
    assert http().get("/read", query_string={name: READER}).status_code == 401


def test_a_request_may_have_credentials_for_a_proxy_too() -> None:
    answer = http().get("/read", headers={"Authorization": "Bearer eyJ.of.a-proxy", "X-Api-Key": READER})

    assert (answer.status_code, answer.text) == (200, "grafana")


def test_an_expired_or_unknown_token_is_told_from_a_missing_one_but_not_from_each_other() -> None:
    def message(headers: dict[str, str]) -> str:
        answer: Any = http().get("/read", headers=headers).json
        return str(answer["error"]["message"])

    unknown, expired = (message({"Authorization": f"Bearer {secret}"}) for secret in (new_secret(), EXPIRED))

    assert unknown == expired != message({})


@pytest.mark.parametrize(("secret", "may"), [(READER, Right.READ), (SHIPPER, Right.INGEST)])
def test_a_right_that_a_token_does_not_have_is_a_403_that_names_it(secret: str, may: Right) -> None:
    for right in set(GRANTED) - {may}:
        answer = http().get(f"/{right.value}", headers={"Authorization": f"Bearer {secret}"})

        assert answer.status_code == 403
        assert f"needs the scope {right.value}" in answer.text
        assert "WWW-Authenticate" not in answer.headers


def test_where_no_right_is_required_everybody_passes_and_is_known_by_a_valid_token() -> None:
    answers = [http().get("/none", headers=headers).text for headers in ({}, {"X-Api-Key": "x"}, {"X-Api-Key": READER})]

    assert answers == ["anonymous", "anonymous", "grafana"]


def test_kinds_of_credentials_are_tried_in_order() -> None:
    kinds = [lambda head: None, lambda head: Principal("first", GRANTED), lambda head: Principal("second", GRANTED)]

    principal = CredentialAuthenticator(kinds).authenticate(None, Right.READ)  # type: ignore[arg-type]

    assert principal.name == "first"

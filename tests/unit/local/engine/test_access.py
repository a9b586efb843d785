"""Authentication, query ids, and the format of errors."""

import base64
from email.message import Message

import pytest

from local.engine.errors import EngineError
from local.engine.login import Login
from local.engine.requests import Requests

_LOGIN = Login("writer", "secret")


def _headers(**values: str) -> Message:
    headers = Message()
    for name, value in values.items():
        headers[name.replace("_", "-")] = value
    return headers


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (_headers(X_ClickHouse_User="writer", X_ClickHouse_Key="secret"), {}),
        (_headers(Authorization=_basic("writer", "secret")), {}),
        (_headers(), {"user": "writer", "password": "secret"}),
    ],
)
def test_the_user_is_authenticated_in_each_way(headers: Message, url: dict[str, str]) -> None:
    _LOGIN.require(headers, url)


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (_headers(), {}),
        (_headers(X_ClickHouse_User="writer"), {}),
        (_headers(X_ClickHouse_User="other", X_ClickHouse_Key="secret"), {}),
        (_headers(Authorization=_basic("writer", "wrong")), {}),
        (_headers(Authorization="Basic ???"), {}),
        (_headers(Authorization="Bearer secret"), {}),
        (_headers(), {"user": "writer", "password": ""}),
        (_headers(), {"user": "writer\0secret", "password": ""}),
    ],
)
def test_other_credentials_are_rejected(headers: Message, url: dict[str, str]) -> None:
    with pytest.raises(EngineError, match="Authentication failed") as caught:
        _LOGIN.require(headers, url)

    assert (caught.value.code, caught.value.status) == (516, 403)
    assert "secret" not in str(caught.value).replace("writer\0secret", "")


def test_without_a_user_no_authentication_is_needed() -> None:
    Login().require(_headers(X_ClickHouse_User="anyone"), {})


def test_an_id_in_use_is_refused_and_free_again_afterwards() -> None:
    requests = Requests(max_running=10)

    with requests.claim("a"), requests.claim("b"), pytest.raises(EngineError) as caught, requests.claim("a"):
        pass
    with requests.claim("a"):
        pass

    assert caught.value.code == 216


def test_too_many_requests_are_refused() -> None:
    requests = Requests(max_running=1)

    with requests.claim("a"), pytest.raises(EngineError) as caught, requests.claim("b"):
        pass

    assert caught.value.code == 202


def test_idle_means_that_no_id_is_in_use() -> None:
    requests = Requests(max_running=1)

    with requests.claim("a"):
        assert not requests.wait_until_idle(0)
    assert requests.wait_until_idle(0)


@pytest.mark.parametrize(
    ("text", "code", "status", "shown"),
    [
        (
            "Code: 60. DB::Exception: no table (UNKNOWN_TABLE)",
            60,
            404,
            "Code: 60. DB::Exception: no table (UNKNOWN_TABLE)",
        ),
        ("Streaming insert finish failed: Code: 27. DB::Exception: x", 27, 400, "Code: 27. DB::Exception: x"),
        ("Code: 241. DB::Exception: memory", 241, 500, "Code: 241. DB::Exception: memory"),
        ("odd", 1002, 500, "Code: 1002. DB::Exception: odd (UNKNOWN_EXCEPTION)"),
    ],
)
def test_an_error_of_the_engine_keeps_its_number(text: str, code: int, status: int, shown: str) -> None:
    error = EngineError.from_engine(RuntimeError(text))

    assert (error.code, error.status, str(error)) == (code, status, shown)

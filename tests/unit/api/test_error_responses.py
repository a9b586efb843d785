"""All errors of all routes have the same format."""

import logging
from typing import Any, NoReturn

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.test import TestResponse

from app.access.principal import Right
from app.api.app import create_app
from app.api.endpoint import Endpoint, Request
from app.api.request_parameters import AnyParameters
from app.health import Health


def application(*endpoints: Endpoint[Any]) -> Flask:
    return create_app(Health(), CollectorRegistry(), endpoints)


def failing(error: Exception) -> FlaskClient:
    """A client of an application that has a path /fails."""

    def fail(request: Request[AnyParameters]) -> NoReturn:
        raise error

    endpoint = Endpoint(path="/fails", parameters=AnyParameters, right=Right.NONE, handle=fail)
    return application(endpoint).test_client()


ROUTES = sorted(rule.rule for rule in application().url_map.iter_rules())


def error_of(answer: TestResponse) -> dict[str, Any]:
    """The error, after a check of its format."""
    assert answer.content_type == "application/json"
    assert answer.json is not None
    assert answer.json.keys() == {"error"}
    error: dict[str, Any] = answer.json["error"]
    assert error.keys() == {"status", "code", "message", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-Id"]
    assert error["status"] == answer.status_code
    return error


def test_there_are_routes_to_try() -> None:
    assert {"/live", "/ready", "/health", "/metrics"} <= set(ROUTES)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/live/", "/metrics/x", "/%00", "/static/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_missing_path_is_reported(method: str, path: str) -> None:
    answer = application().test_client().open(path, method=method)

    assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_is_not_allowed_is_reported_with_the_allowed_ones(path: str) -> None:
    answer = application().test_client().delete(path)

    assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed")
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


def test_headers_that_belong_to_an_error_are_kept() -> None:
    answer = failing(ServiceUnavailable("Too much to do.", retry_after=7)).get("/fails")

    error = error_of(answer)
    assert (error["status"], error["code"], error["message"]) == (503, "service_unavailable", "Too much to do.")
    assert answer.headers["Retry-After"] == "7"
    assert len(answer.headers.getlist("Content-Type")) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413, 415, 422, 429, 500, 501, 502, 503])
def test_every_status_has_the_same_shape(status: int) -> None:
    with pytest.raises(HTTPException) as caught:
        abort(status)

    assert error_of(failing(caught.value).get("/fails"))["status"] == status


def test_an_unexpected_error_is_logged_and_reveals_nothing(caplog: pytest.LogCaptureFixture) -> None:
    answer = failing(RuntimeError("geheim")).get("/fails")

    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal_server_error"
    assert "geheim" not in answer.text
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "geheim"


def test_metrics_that_cannot_be_collected_are_an_error_of_the_same_shape(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def collect(self) -> list[Any]:
            raise RuntimeError("broken")

        def describe(self) -> list[Any]:
            return []

    registry = CollectorRegistry()
    registry.register(Broken())

    answer = create_app(Health(), registry).test_client().get("/metrics")

    assert error_of(answer)["status"] == 500
    assert caplog.records

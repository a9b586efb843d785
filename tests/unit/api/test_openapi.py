"""What the description of the API says of parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.api.endpoint import FORM
from tests.fakes import ScriptedReader
from tests.support.query_application import query_application


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    described = query_application(ScriptedReader()).test_client().get("/api/v1/openapi.json").json
    assert described is not None
    return dict(described)


def test_a_form_says_that_it_has_no_other_fields(document: dict[str, Any]) -> None:
    forms = [
        content["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if media_type == FORM
    ]

    assert len(forms) > 3
    assert {form["additionalProperties"] for form in forms} == {False}


def test_no_parameter_may_be_null(document: dict[str, Any]) -> None:
    parameters = [
        parameter
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
    ]

    assert len(parameters) > 50
    assert '"null"' not in json.dumps(parameters)


@pytest.mark.parametrize("name", ["id", "cursor", "interval", "start", "end"])
def test_parameters_with_a_form_of_their_own_say_it(document: dict[str, Any], name: str) -> None:
    named = [
        parameter["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
        if parameter["name"] == name
    ]

    assert named
    assert all("pattern" in schema and "maxLength" in schema for schema in named)

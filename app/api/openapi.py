"""The OpenAPI 3.1 document, made of the endpoints themselves."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.endpoint import Endpoint
from app.api.error_responses import ErrorAnswer
from app.version import VERSION

_REFERENCE: Final = "#/components/schemas/{model}"
_ERRORS: Final[Mapping[str, str]] = {
    "400": "The question is not understood; the message says where and what was probably meant.",
    "404": "There is no such log.",
    "422": "The question takes more memory or rows than it may.",
    "429": "Too many questions at the same time; Retry-After says when to ask again.",
    "503": "ClickHouse does not answer; Retry-After says when to ask again.",
    "504": "The time is up and nothing was found so far.",
}


def openapi(endpoints: Iterable[Endpoint[Any]], prefix: str) -> dict[str, Any]:
    """The document for endpoints below a prefix."""
    endpoints = list(endpoints)
    answers = dict.fromkeys(endpoint.answer for endpoint in endpoints if endpoint.is_json)
    models: list[type[BaseModel]] = [*answers, ErrorAnswer]
    _, schemas = models_json_schema([(model, "serialization") for model in models], ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Log analytics",
            "version": VERSION,
            "description": "Search logs, count them, follow them. Times are UTC; every list says what it took and"
            " whether it is complete.",
        },
        "paths": {prefix + endpoint.path: {"get": _operation(endpoint)} for endpoint in endpoints},
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(endpoint: Endpoint[Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _reference(endpoint.answer)}} if endpoint.is_json else {}
    content |= {kind: {"schema": {"type": "string"}} for kind in endpoint.other_formats}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": list(_parameters(endpoint)),
        "responses": {
            "200": {"description": endpoint.answer.__doc__, "content": content},
            **{status: _error(words) for status, words in _ERRORS.items()},
        },
    }


def _parameters(endpoint: Endpoint[Any]) -> Iterable[dict[str, Any]]:
    schema = endpoint.parameters.model_json_schema()
    for name, field in schema["properties"].items():
        is_in_path = f"{{{name}}}" in endpoint.path
        description = field.pop("description", "")
        field.pop("title", None)
        yield {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": name in schema.get("required", ()),
            "description": description,
            "schema": field,
        }


def _error(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": _reference(ErrorAnswer)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}

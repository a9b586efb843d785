"""The OpenAPI 3.1 document, generated from the endpoints."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.api.content import Content
from app.api.endpoint import FORM, Endpoint
from app.version import VERSION

_Mode = Literal["validation", "serialization"]
_References = Mapping[tuple[Any, _Mode], Mapping[str, Any]]  # by model and mode
_REFERENCE: Final = "#/components/schemas/{model}"


def openapi(endpoints: Iterable[Endpoint[Any]]) -> dict[str, Any]:
    """The document for these endpoints."""
    endpoints = list(endpoints)
    references, schemas = models_json_schema(list(dict.fromkeys(_models(endpoints))), ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = (endpoint.prefix + endpoint.path).replace("{+", "{")
        paths.setdefault(path, {}).update(_operations(endpoint, references))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Log analytics",
            "version": VERSION,
            "description": "Send, search, aggregate and follow logs. Times are UTC. Every list reports its cost and"
            " whether it is complete.",
        },
        "paths": paths,
        "components": {"schemas": schemas["$defs"]},
    }


def _models(endpoints: Iterable[Endpoint[Any]]) -> Iterator[tuple[type[BaseModel], _Mode]]:
    for endpoint in endpoints:
        sent: list[Content] = [endpoint.success.content, endpoint.errors.content]
        yield from ((model, "serialization") for content in sent for model in content.values() if model)
        if endpoint.body:
            yield from ((model, "validation") for model in endpoint.body.content.values() if model)


def _operations(endpoint: Endpoint[Any], references: _References) -> Iterator[tuple[str, dict[str, Any]]]:
    """An operation for each method."""
    for method in endpoint.methods:
        is_first = method == endpoint.methods[0]
        has_form = method == "POST" and endpoint.body is None
        parameters = list(_parameters(endpoint))
        operation = {
            "operationId": endpoint.name if is_first else endpoint.name_of(method),
            "summary": endpoint.summary,
            "parameters": [given for given in parameters if given["in"] == "path" or not has_form],
            "responses": _responses(endpoint, references),
        }
        if has_form:
            operation["requestBody"] = {"content": {FORM: {"schema": _form(parameters)}}}
        if endpoint.tags:
            operation["tags"] = list(endpoint.tags)
        if endpoint.body:
            operation["requestBody"] = {
                "required": True,
                "content": _content(endpoint.body.content, references, "validation"),
            }
        yield method.lower(), operation


def _parameters(endpoint: Endpoint[Any]) -> Iterator[dict[str, Any]]:
    schema = endpoint.parameters.model_json_schema()
    for name, field in schema.get("properties", {}).items():
        is_in_path = f"{{{name}}}" in endpoint.path.replace("{+", "{")
        description = field.pop("description", "")
        field.pop("title", None)
        yield {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path or name in schema.get("required", ()),
            "description": description,
            "schema": _without_null(field),
        }


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be absent: in a URL or a form there is no null, only the text "null"."""
    given = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and not (key == "default" and value is None)}
    return {**rest, **given[0]} if len(given) == 1 else dict(schema)


def _form(parameters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of a form with the parameters that a GET has in its URL."""
    fields = [given for given in parameters if given["in"] == "query"]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field["name"]: {**field["schema"], "description": field["description"]} for field in fields},
        "required": [field["name"] for field in fields if field["required"]],
    }


def _responses(endpoint: Endpoint[Any], references: _References) -> dict[str, Any]:
    success, errors = endpoint.success, _content(endpoint.errors.content, references, "serialization")
    content = _content(success.content, references, "serialization")
    return {
        str(success.status): {"description": success.description, "content": content},
        **{str(status): {"description": text, "content": errors} for status, text in endpoint.problems.items()},
    }


def _content(content: Content, references: _References, mode: _Mode) -> dict[str, Any]:
    return {
        kind: {"schema": references[model, mode] if model else {"type": "string"}} for kind, model in content.items()
    }

"""What clients of Elasticsearch look up, and set up, before they send their first document."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from flask import Response
from pydantic import BaseModel
from werkzeug.exceptions import NotFound

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.elasticsearch import PREFIXES
from app.api.receivers.elasticsearch_form import ERRORS, HEADERS, content_type_for

VERSION: Final = "8.19.0"
"""The one that clients see: those of the majors 8 and 9 work with it."""

_NAME: Final = "log-analytics"
_BUILD: Final = {"hash": "0" * 40, "date": "2025-07-23T00:00:00.000Z"}
_CLUSTER: Final = {
    "name": _NAME,
    "cluster_name": _NAME,
    "cluster_uuid": "bG9nLWFuYWx5dGljcy1sb2",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "docker",
        **{f"build_{name}": value for name, value in _BUILD.items()},
        "build_snapshot": False,
        "lucene_version": "9.12.2",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}
_LICENSE: Final = {"status": "active", "uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic"}
_HEALTH: Final = {"cluster_name": _NAME, "status": "green", "timed_out": False, "number_of_nodes": 1}
_NODES: Final = {"_nodes": {"total": 0, "successful": 0, "failed": 0}, "cluster_name": _NAME, "nodes": {}}
_READ: Final[Mapping[str, object]] = {
    "": _CLUSTER,
    "_license": {"license": _LICENSE},
    "_xpack": {"build": _BUILD, "license": _LICENSE, "features": {}},
    "_cluster/health": _HEALTH,
    "_cat/health": [_HEALTH],
}
_SET_UP: Final = frozenset(
    (
        *("_ilm", "_template", "_index_template", "_component_template", "_ingest", "_data_stream"),
        *("_alias", "_aliases"),
    )
)
"""Policies, templates, pipelines: all of them are there, as far as clients can see, and none has effect."""
_OF_INDEX: Final[Sequence[list[str]]] = ([], ["_refresh"], ["_flush"], ["_settings"], ["_mapping"], ["_alias"])
_DONE: Final = {"acknowledged": True, "shards_acknowledged": True}


class ProbeParameters(BaseModel):
    """The path below the prefix. What else clients send means nothing here."""

    rest: str = ""


def endpoints(max_body_bytes: int) -> Iterator[Endpoint[ProbeParameters]]:
    """The endpoints, below a prefix of their own: `/` is the explorer's. Bodies are ignored."""
    for prefix, path in product(PREFIXES, ("", "/{+rest}")):
        yield Endpoint(
            path=path,
            prefix=prefix,
            methods=("GET", "PUT", "POST", "DELETE"),
            operation_id="elasticsearch_probe",
            parameters=ProbeParameters,
            body=Body({"*/*": None}, max_body_bytes),
            success=Success("What it asked for.", {"application/json": None}),
            handle=_handle,
            errors=ERRORS,
            headers=HEADERS,
            right=Right.INGEST,
        )


def _handle(request: Request[ProbeParameters]) -> Response:
    """What every Elasticsearch says of itself, or what it says of something that it has set up."""
    is_read = request.head.method in ("GET", "HEAD")
    content = _content(request.parameters.rest.strip("/"), is_read)
    if content is None:
        raise NotFound(
            "Only the bulk requests of Elasticsearch are understood, and what clients do before they send them."
        )
    return Response(json.dumps(content), content_type=content_type_for(request.head))


def _content(path: str, is_read: bool) -> object:
    """The content of the response, None if there is nothing at the path."""
    if is_read and path in _READ:
        return _READ[path]
    if is_read and path.startswith("_cluster/health/"):  # of an index
        return _HEALTH
    name, *behind = path.split("/")
    if name == "_nodes":
        return _NODES
    is_index = name[:1] not in ("", "_") and behind in _OF_INDEX
    if is_index or name in _SET_UP:
        return {} if is_read else _DONE
    return None

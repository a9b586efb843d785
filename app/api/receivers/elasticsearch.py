"""Elasticsearch's bulk requests, for Filebeat, Logstash, Fluentd, Fluent Bit, Vector, rsyslog and loggers.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

import msgspec
from flask import Response
from pydantic import BaseModel

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.elasticsearch_form import ERRORS, HEADERS, content_type_for
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.receive import elasticsearch
from app.receive.elasticsearch import Item
from app.receive.received import Posted, Received, Sent

NAME: Final = "elasticsearch"
PREFIXES: Final = ("/elasticsearch", "/elasticsearch/")
"""The second for clients that put a `/` behind an address that ends with one."""
_PATHS: Final = {
    "/_bulk": "elasticsearch_bulk",
    "/{index}/_bulk": "elasticsearch_index_bulk",
}
_TYPED: Final = {
    "/{index}/_doc/_bulk": "elasticsearch_doc_bulk",  # or it would be a document with this id
    "/{index}/{kind}/_bulk": "elasticsearch_type_bulk",
}
"""With a type, as clients of version 7 and older may have it."""
_PLACES: Final = (*product(("", *PREFIXES), _PATHS.items()), *product(PREFIXES, _TYPED.items()))
"""Some clients, such as rsyslog, know a host and a port alone; nothing else is at these paths of the root."""
_TYPES: Final = ("application/x-ndjson", "application/json", "application/vnd.elasticsearch+x-ndjson", "*/*")
_REFUSED: Final = 400
_STORED: Final = 201
OF_STORED: Final[Mapping[str, Any]] = {
    "_version": 1,
    "result": "created",
    "_shards": {"total": 1, "successful": 1, "failed": 0},
    "_seq_no": 0,
    "_primary_term": 1,
}
"""What the result of a document says besides its index and id."""


class BulkParameters(BaseModel):
    """The index and the type of the path. Others, such as `pipeline` and `refresh`, mean nothing here."""

    index: str = ""
    kind: str = ""


def endpoints(
    receiver: Receiver, max_body_bytes: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[Endpoint[BulkParameters]]:
    """The endpoint, at each of its paths."""

    def handle(request: Request[BulkParameters]) -> BaseModel | Response | None:
        """Store the documents of a bulk request: lines of JSON, an action and a document."""
        began_at = clock()
        items: list[Item] = []

        def read(posted: Posted) -> Received:
            bulk = elasticsearch.read(posted.body, request.parameters.index)
            items.extend(bulk.items)
            return bulk.received

        def respond(sent: Sent) -> Response:
            took_ms = round((clock() - began_at) * 1000)
            return Response(_result(items, sent, took_ms), content_type=content_type_for(request.head))

        return receiver.take(NAME, request, read, respond)

    for prefix, (path, name) in _PLACES:
        yield Endpoint(
            path=path,
            prefix=prefix,
            methods=("POST", "PUT"),
            operation_id=name,
            summary="Send logs as to Elasticsearch",
            tags=("send",),
            parameters=BulkParameters,
            body=Body(dict.fromkeys(_TYPES), max_body_bytes),
            handle=handle,
            success=Success("An item for each action, in order.", {"application/json": None}),
            problems=MAY_FAIL,
            errors=ERRORS,
            headers=HEADERS,
            right=Right.INGEST,
        )


def _result(items: Sequence[Item], sent: Sent, took_ms: int) -> bytes:
    refused = sent.refused
    results = [{item.action: _result_of(item, refused.get(number))} for number, item in enumerate(items)]
    return msgspec.json.encode({"took": took_ms, "errors": bool(refused), "items": results})


def _result_of(item: Item, reason: str | None) -> Mapping[str, Any]:
    known = {"_index": item.index_name, "_id": item.id}
    if reason is None:
        return {**known, **OF_STORED, "status": _STORED}
    kind = "document_parsing_exception" if item.action in elasticsearch.STORED else "illegal_argument_exception"
    return {**known, "status": _REFUSED, "error": {"type": kind, "reason": reason}}

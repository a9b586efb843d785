"""Elasticsearch's requests that store one document, which scripts and small loggers send.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-index
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

import msgspec
from flask import Response
from pydantic import BaseModel

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.elasticsearch import NAME, OF_STORED, PREFIXES
from app.api.receivers.elasticsearch_form import ERRORS, HEADERS, content_type_for
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.receive import elasticsearch
from app.receive.elasticsearch import Item
from app.receive.received import Posted, Received, Sent, Unreadable

_PATHS: Final = {
    "/{index}/_doc": "elasticsearch_document",
    "/{index}/_doc/{id}": "elasticsearch_document_id",
    "/{index}/_create/{id}": "elasticsearch_create",
}
_CREATED: Final = 201


class DocumentParameters(BaseModel):
    """The index and the id of the path. Others, such as `refresh`, mean nothing here."""

    index: str
    id: str | None = None


def endpoints(receiver: Receiver, max_body_bytes: int) -> Iterator[Endpoint[DocumentParameters]]:
    """The endpoint, at each of its paths."""

    def handle(request: Request[DocumentParameters]) -> BaseModel | Response | None:
        """Store one document."""
        items: list[Item] = []

        def read(posted: Posted) -> Received:
            parameters = request.parameters
            bulk = elasticsearch.read_document(posted.body, parameters.index, parameters.id)
            items.extend(bulk.items)
            return bulk.received

        def respond(sent: Sent) -> Response:
            if sent.refused:
                raise Unreadable(next(iter(sent.refused.values())))
            [item] = items
            result = {"_index": item.index_name, "_id": item.id, **OF_STORED}
            return Response(msgspec.json.encode(result), _CREATED, content_type=content_type_for(request.head))

        return receiver.take(NAME, request, read, respond)

    for prefix, (path, name) in product(PREFIXES, _PATHS.items()):
        yield Endpoint(
            path=path,
            prefix=prefix,
            methods=("POST", "PUT"),
            operation_id=name,
            summary="Send a log as to Elasticsearch",
            tags=("send",),
            parameters=DocumentParameters,
            body=Body({"application/json": None, "*/*": None}, max_body_bytes),
            handle=handle,
            success=Success("Kafka has it on all in-sync replicas.", {"application/json": None}, status=_CREATED),
            problems=MAY_FAIL,
            errors=ERRORS,
            headers=HEADERS,
            right=Right.INGEST,
        )

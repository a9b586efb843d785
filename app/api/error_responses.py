"""The body of an error response: JSON, unless a protocol prescribes another format."""

from collections.abc import Callable
from typing import Final

from flask import Response
from msgspec import Struct
from pydantic import BaseModel, Field

from app.api.content import Content
from app.api.problems import Problem
from app.api.request_head import RequestHead
from app.api.responses import HintResponse


class Error(BaseModel):
    """The error of a request."""

    status: int = Field(description="The HTTP status.")
    code: str = Field(description="An error code for programs.")
    message: str = Field(description="A message for people.")
    parameter: str | None = Field(None, description="The parameter to change.")
    position: int | None = Field(None, description="Position of the error in the query, in characters from 0.")
    expected: list[str] | None = Field(None, description="What the query language allows at this position.")
    suggestion: str | None = Field(None, description="A correction, if the error looks like a typo.")
    hints: list[HintResponse] | None = Field(None, description="Whole queries that may have been meant.")
    request_id: str | None = Field(None, description="The id of the request, under which the service's log has more.")


class ErrorResponse(BaseModel):
    """The response to a request that failed."""

    error: Error


class ErrorShape(Struct, frozen=True):
    """How an endpoint writes its errors.

    A protocol may prescribe the body, a status (such as 403 instead of 401), or a media type that depends on the
    request's. The response has the headers of the problem.
    """

    content: Content
    """For the OpenAPI document."""
    render: Callable[[Problem, RequestHead], Response]


def _json(problem: Problem, head: RequestHead) -> Response:
    request_id = head.request_id or None
    error = Error(
        status=problem.status, code=problem.code, message=problem.message, request_id=request_id, **problem.details
    )
    text = ErrorResponse(error=error).model_dump_json(exclude_none=True)
    response = Response(text, problem.status, content_type="application/json")
    response.headers.extend(problem.headers)
    return response


JSON_ERRORS: Final = ErrorShape({"application/json": ErrorResponse}, _json)
"""{"error": {"status", "code", "message", ...}}, for every endpoint that follows no other protocol."""

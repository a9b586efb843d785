"""An endpoint: where it is, what it may be asked, what it answers. The routes and the OpenAPI document come from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel

from app.api.request_parameters import read_parameters

_Asked = TypeVar("_Asked", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[_Asked]):
    """One GET. `path` is written as OpenAPI does, with `{name}` for what stands in the path."""

    path: str
    summary: str
    parameters: type[_Asked]
    answer: type[BaseModel]
    handle: Callable[[_Asked], BaseModel | Response]
    other_formats: tuple[str, ...] = ()
    is_json: bool = True
    """Whether `answer` is what is sent; otherwise it only describes the stream."""

    @property
    def name(self) -> str:
        """A word for it: the same in metrics and as its operation id."""
        return "_".join(part.strip("{}") for part in self.path.strip("/").split("/"))


def add_route(routes: Blueprint, endpoint: Endpoint[Any], let_in: Callable[[Callable[[], Any]], Any]) -> None:
    """Serve it. `let_in` calls what it is given, which makes the answer, when it is its turn."""

    def view(**path: str) -> Response:
        asked = read_parameters(endpoint.parameters, request.args, path)
        answer = let_in(lambda: endpoint.handle(asked))
        if isinstance(answer, Response):
            return answer
        return Response(answer.model_dump_json(exclude_none=True), content_type="application/json")

    # Names of fields may hold a slash.
    rule = endpoint.path.replace("{name}", "<path:name>").replace("{id}", "<id>")
    routes.add_url_rule(rule, endpoint.name, view, methods=["GET"])

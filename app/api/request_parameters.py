"""Reads the parameters of a request into a model; an error names the parameter and the most similar valid one."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from app.query.errors import BadParameter
from app.query.fields import nearest

_Model = TypeVar("_Model", bound=BaseModel)


class AnyParameters(BaseModel):
    """For endpoints without parameters, which ignore any that are sent."""


def read_parameters(model: type[_Model], given: "MultiDict[str, str]", path: Mapping[str, str]) -> _Model:
    """The parameters of a request. A model with `extra="forbid"` rejects unknown names.

    Raises:
        BadParameter: a parameter is unknown, given twice, or has an invalid value.
    """
    known = set(model.model_fields)
    is_strict = model.model_config.get("extra") == "forbid"
    for name in given if is_strict else given.keys() & (known - path.keys()):
        if name not in known or name in path:
            meant = nearest(name, known)
            hint = f"was {meant} meant?" if meant else f"the parameters are {', '.join(sorted(known - set(path)))}"
            raise BadParameter(name, f"{name} is not a parameter; {hint}")
        if len(given.getlist(name)) > 1:
            raise BadParameter(name, f"{name} is given {len(given.getlist(name))} times")
    try:
        return model.model_validate({**given.to_dict(), **path})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        message = problem["msg"]
        raise BadParameter(name, f"{name}={problem['input']}: {message[0].lower()}{message[1:]}") from error

"""Reads the parameters of a request into a model; an error names the parameter and the most similar valid one."""

from collections.abc import Mapping, Set
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from app.query.errors import BadParameter
from app.query.fields import nearest

_Model = TypeVar("_Model", bound=BaseModel)


# What other APIs call a parameter.
_EQUIVALENTS: Final = {
    **dict.fromkeys(("q", "search", "filter", "expr", "query_string", "where"), "query"),
    **dict.fromkeys(("from", "since", "begin", "start_time", "starttime", "from_time", "after", "gte"), "start"),
    **dict.fromkeys(("to", "until", "end_time", "endtime", "to_time", "before", "lt"), "end"),
    **dict.fromkeys(("size", "count", "max", "rows", "per_page", "page_size", "pagesize", "top"), "limit"),
    **dict.fromkeys(("page", "offset", "next", "token", "page_token", "search_after", "next_cursor"), "cursor"),
    **dict.fromkeys(("columns", "select", "include", "_source", "cols"), "fields"),
    **dict.fromkeys(("group_by", "groupby", "group", "facet"), "by"),
    **dict.fromkeys(("step", "bucket", "resolution", "period", "granularity"), "interval"),
    **dict.fromkeys(("agg", "aggregate", "aggregation", "func", "functions", "metric", "stat"), "function"),
    **dict.fromkeys(("timeout", "timeout_secs", "max_time"), "timeout_ms"),
    **dict.fromkeys(("output", "type", "accept"), "format"),
}
_ORDERS: Final = frozenset(
    {"sort", "sort_by", "sortby", "order", "order_by", "orderby", "direction", "reverse", "desc"}
)


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
            hint = _meant(name, known) or f"the parameters are {', '.join(sorted(known - set(path)))}"
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


def _meant(name: str, known: Set[str]) -> str:
    """What to send instead of an unknown parameter, "" if that is not known."""
    folded = name.lower()
    if folded in _ORDERS:
        return "logs are sorted by time, the newest first, and groups by their first aggregate"
    meant = _EQUIVALENTS.get(folded, "")
    meant = meant if meant in known else nearest(name, known)
    return f"was {meant} meant?" if meant else ""

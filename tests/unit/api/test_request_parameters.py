"""Parameters of requests."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.api.parameters import LogsParameters, ValuesParameters
from app.api.request_parameters import read_parameters
from app.query.errors import BadParameter


def test_parameters_are_read_by_their_names_and_types() -> None:
    parameters = read_parameters(LogsParameters, MultiDict({"query": "level:error", "limit": "5"}), {})

    assert (parameters.query, parameters.limit, parameters.start, parameters.cursor) == ("level:error", 5, "now-1h", "")


def test_path_parameters_are_parameters_too() -> None:
    assert read_parameters(ValuesParameters, MultiDict(), {"name": "service"}).name == "service"
    with pytest.raises(BadParameter):
        read_parameters(ValuesParameters, MultiDict({"name": "level"}), {"name": "service"})


@pytest.mark.parametrize(
    ("given", "parameter", "words"),
    [
        ([("limt", "5")], "limt", "limt is not a parameter; was limit meant?"),
        (
            [("colour", "red")],
            "colour",
            "colour is not a parameter; the parameters are cursor, end, escape_formulas, fields, format, limit,",
        ),
        ([("limit", "5"), ("limit", "6")], "limit", "limit is given 2 times"),
        ([("limit", "many")], "limit", "limit=many: input should be a valid integer"),
        ([("limit", "0")], "limit", "limit=0: input should be greater than or equal to 1"),
        ([("format", "xml")], "format", "format=xml: input should be 'json', 'ndjson' or 'csv'"),
    ],
)
def test_an_invalid_parameter_is_reported_by_name(given: list[tuple[str, str]], parameter: str, words: str) -> None:
    with pytest.raises(BadParameter) as caught:
        read_parameters(LogsParameters, MultiDict(given), {})

    assert caught.value.parameter == parameter
    assert str(caught.value).startswith(words)

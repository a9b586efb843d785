"""What an endpoint may be asked."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.api.parameters import LogsParameters, ValuesParameters
from app.api.request_parameters import read_parameters
from app.query.errors import BadParameter


def test_parameters_are_read_by_their_names_and_types() -> None:
    asked = read_parameters(LogsParameters, MultiDict({"query": "level:error", "limit": "5"}), {})

    assert (asked.query, asked.limit, asked.start, asked.cursor) == ("level:error", 5, "now-1h", "")


def test_what_stands_in_the_path_is_a_parameter_too() -> None:
    assert read_parameters(ValuesParameters, MultiDict(), {"name": "service"}).name == "service"
    with pytest.raises(BadParameter):
        read_parameters(ValuesParameters, MultiDict({"name": "level"}), {"name": "service"})


@pytest.mark.parametrize(
    ("given", "parameter", "words"),
    [
        ([("limt", "5")], "limt", "limt is not a parameter; was limit meant?"),
        ([("colour", "red")], "colour", "colour is not a parameter; there are cursor, end, fields, format, limit,"),
        ([("limit", "5"), ("limit", "6")], "limit", "limit is given 2 times"),
        ([("limit", "many")], "limit", "limit=many: input should be a valid integer"),
        ([("limit", "0")], "limit", "limit=0: input should be greater than or equal to 1"),
        ([("format", "xml")], "format", "format=xml: input should be 'json', 'ndjson' or 'csv'"),
    ],
)
def test_what_is_wrong_is_told_by_name(given: list[tuple[str, str]], parameter: str, words: str) -> None:
    with pytest.raises(BadParameter) as caught:
        read_parameters(LogsParameters, MultiDict(given), {})

    assert caught.value.parameter == parameter
    assert str(caught.value).startswith(words)

"""Clients of Elasticsearch and OpenSearch, and loggers that use them."""

from __future__ import annotations

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack

pytestmark = pytest.mark.stack

_RECENT = "Timestamp BETWEEN now64(9) - 60 AND now64(9)"


def test_elasticsearch_of_python(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Python: elasticsearch", "python"))

    rows = stack.rows(f"ServiceName = 'catalog' AND {_RECENT}", 2)
    assert {(row["SeverityText"], row["Body"]) for row in rows} == {("WARN", "stock is low")}
    attributes = [row["LogAttributes"] for row in rows]
    assert [(each["item"], each["_index"]) for each in attributes] == [("41", "logs"), ("42", "logs")]
    assert {each["log.receiver.name"] for each in attributes} == {"elasticsearch"}


def test_elasticsearch_of_python_names_what_was_refused(stack: Stack, clients: Clients) -> None:
    script = stack.recipe("Python: elasticsearch", "python").partition("documents = [")[0]
    script += """
actions = [{"_op_type": "delete", "_index": "logs", "_id": "a"}, {"_index": "logs", "message": "kept by bulk"}]
print(helpers.bulk(client, actions, raise_on_error=False))
"""

    printed = clients.python(script)

    assert printed.startswith("(1, [{'delete': {'_index': 'logs', '_id': 'a', 'status': 400, 'error': ")
    stack.rows("Body = 'kept by bulk'", 1)


def test_opensearch_of_python(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Python: opensearch-py", "python"))

    [row] = stack.rows(f"ServiceName = 'orders' AND {_RECENT}", 1)
    assert (row["SeverityText"], row["Body"]) == ("WARN", "stock is low")
    assert (row["LogAttributes"]["_index"], row["LogAttributes"]["_id"]) == ("logs", "a1")


def test_elasticsearch_of_node(stack: Stack, clients: Clients) -> None:
    printed = clients.node(stack.recipe("Node.js: @elastic/elasticsearch", "js"))

    assert printed.strip() == "1"
    [row] = stack.rows(f"ServiceName = 'stock' AND {_RECENT}", 1)
    assert (row["SeverityText"], row["Body"], row["LogAttributes"]["_index"]) == ("WARN", "stock is low", "logs")


def test_winston_elasticsearch(stack: Stack, clients: Clients) -> None:
    clients.node(stack.recipe("Node.js: winston-elasticsearch", "js"))

    [row] = stack.rows(f"LogAttributes['fields.service'] = 'web' AND {_RECENT}", 1)
    assert (row["SeverityText"], row["Body"], row["LogAttributes"]["fields.item"]) == ("WARN", "stock is low", "42")

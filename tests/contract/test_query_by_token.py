"""What a limited token gets from every endpoint on the real engine is what there would be to get if no other log were
stored: no row, count, value, name of a field, hint, cursor or error tells of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.access.principal import Right
from app.access.tokens import Token, Tokens, digest_of, new_secret
from app.api.authentication import CredentialAuthenticator, by_token
from app.backends.clickhouse.reader import ClickHouseReader
from app.domain.event_time import rfc3339
from app.query.fields import FIELDS
from app.query.language import parse
from app.query.log_id import LogId
from app.query.scope import EVERYTHING, Scope
from app.query.tree import Node
from app.settings import QuerySettings
from tests.query.evaluate import Row, finds
from tests.query.generated import DAY_NS, TIME_NS, rows, trees
from tests.query.show import show
from tests.query.stored_logs import Logs
from tests.support.query_application import query_application
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

KNOWN_FIELDS: Final = [field for field in FIELDS if field.name != "_ingested"]  # filled in by the table
ROWS: Final = rows(200, seed=5)
RANGE: Final = {"start": rfc3339(TIME_NS - 10**9), "end": rfc3339(TIME_NS + 3 * DAY_NS), "timeout_ms": "60000"}
REQUESTS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("/logs", {"limit": "20"}),
    ("/logs.ndjson", {"fields": "message,service,user_id"}),
    ("/logs.csv", {"limit": "7"}),
    ("/histogram", {"interval": "1h", "by": "level"}),
    ("/stats", {"function": "count", "by": "service"}),
    ("/stats", {"function": "count,count_distinct", "field": "user_id"}),
    ("/stats", {"function": "min,max", "field": "response_time_ms", "by": "level", "interval": "1d"}),
    ("/fields", {}),
    ("/fields/http.status_code/values", {}),
    ("/fields/service/values", {"prefix": "p"}),
)
# Of those, several find nothing as they are, and get hints from a look at what is stored.
TYPED: Final = ("", "levle:error", "SERVICE:x", "user_id:zzz", "http.statuscode:500", "service:PAYMENT", "tiemout")


def id_of(row: Row) -> str:
    return str(LogId(row["Timestamp"], row["_topic_id"], row["_partition"], row["_offset"], row["_item"]))


class Caller:
    """A client with a token, limited to a scope or not, of the API over a table."""

    def __init__(self, logs: Logs, scope: Scope = EVERYTHING) -> None:
        secret = new_secret()
        tokens = Tokens([Token("caller", (Right.READ,), digest_of(secret), scope=scope)])
        kinds = [by_token(lambda given: tokens.of_secret(given, datetime.now(UTC)))]
        reader = ClickHouseReader(logs.settings, QuerySettings(max_threads=1))  # few logs need no threads
        application = query_application(reader, authenticator=CredentialAuthenticator(kinds))
        self._http: FlaskClient = application.test_client()
        self._headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **parameters: str) -> tuple[int, Any]:
        """The status and the content, without what it has cost."""
        with self._http.get(f"/api/v1{path}", query_string=parameters, headers=self._headers) as answer:
            content = answer.get_json(silent=True) if answer.is_json else answer.get_data(as_text=True)
            if isinstance(content, dict):
                content.pop("statistics", None)
                content.get("error", {}).pop("request_id", None)
                if isinstance(content.get("rows"), list) and path != "/logs":
                    content["rows"].sort(key=repr)  # groups of equal counts have no order
            return answer.status_code, content


@pytest.fixture(scope="module")
def everything(engine: RunningEngine) -> Iterator[Logs]:
    logs = Logs(engine)
    logs.store(ROWS)
    yield logs
    logs.drop()


# No shrinking: each example makes a table, and asks it for seconds.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scope=trees(KNOWN_FIELDS), tree=trees(KNOWN_FIELDS), typed=st.sampled_from(TYPED))
def test_a_limited_token_gets_what_it_would_if_no_other_log_were_stored(
    engine: RunningEngine, everything: Logs, scope: Node, tree: Node, typed: str
) -> None:
    shown = [row for row in ROWS if finds(scope, row)]
    hidden = [row for row in ROWS if not finds(scope, row)]
    alone = Logs(engine)
    try:
        if shown:
            alone.store(shown)
        limited, unlimited = Caller(everything, Scope(scope)), Caller(alone)
        for query in (show(tree), typed):
            for path, parameters in REQUESTS:
                given = {**RANGE, **parameters, "query": query}
                assert limited.get(path, **given) == unlimited.get(path, **given), (path, query)
        for row in [*hidden[:2], *shown[:2]]:
            for path in ("", "/context", "/explain"):
                at = f"/logs/{quote(id_of(row))}{path}"
                assert limited.get(at) == unlimited.get(at), at
    finally:
        alone.drop()


def test_a_cursor_of_another_does_not_widen_what_a_token_may_read(everything: Logs) -> None:
    scope = Scope(parse("level:error").tree)
    _, first = Caller(everything).get("/logs", **RANGE, limit="5")

    status, page = Caller(everything, scope).get("/logs", **RANGE, limit="1000", cursor=first["next_cursor"])

    shown = {id_of(row) for row in ROWS if finds(scope.tree, row)}
    assert status == 200
    assert page["rows"]
    assert {row["id"] for row in page["rows"]} <= shown

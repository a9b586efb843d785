"""The service of an event is the first of many names, in a documented order: a test for each pair of neighbours."""

import json
from itertools import pairwise
from typing import Any

import pytest

from local.paths import ROOT
from tests.unit.formats.test_json_events import row_of

SERVICES = {
    "service.name": '{"service.name":"%s"}',
    "service": '{"service":"%s"}',
    "serviceName": '{"serviceName":"%s"}',
    "service_name": '{"service_name":"%s"}',
    "app": '{"app":"%s"}',
    "application": '{"application":"%s"}',
    "resource.attributes.service.name": '{"resource":{"attributes":{"service.name":"%s"}}}',
    "resource.service.name": '{"resource":{"service.name":"%s"}}',
    "otelServiceName": '{"otelServiceName":"%s"}',
    "entity.name": '{"entity.name":"%s"}',
    "serviceContext.service": '{"serviceContext":{"service":"%s"}}',
    "dd.service": '{"dd":{"service":"%s"}}',
    "app_name": '{"app_name":"%s"}',
    "application_name": '{"application_name":"%s"}',
    "app.name": '{"app.name":"%s"}',
    "application.name": '{"application.name":"%s"}',
    "app.kubernetes.io/name": '{"kubernetes":{"labels":{"app.kubernetes.io/name":"%s"}}}',
    "label `app`": '{"kubernetes":{"labels":{"app":"%s"}}}',
    "k8s-app": '{"kubernetes":{"labels":{"k8s-app":"%s"}}}',
    "kubernetes.container_name": '{"kubernetes":{"container_name":"%s"}}',
    "kubernetes.container.name": '{"kubernetes":{"container":{"name":"%s"}}}',
    "resource.labels.container_name": '{"resource":{"labels":{"container_name":"%s"}}}',
    "container.name": '{"container.name":"%s"}',
    "container_name": '{"container_name":"%s"}',
    "SYSLOG_IDENTIFIER": '{"SYSLOG_IDENTIFIER":"%s"}',
    "programname": '{"programname":"%s"}',
    "log.syslog.appname": '{"log.syslog.appname":"%s"}',
    "ident": '{"ident":"%s"}',
}
_NAMES = list(SERVICES)


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both objects in one, also those inside; `other` is written first."""
    both = dict(other)
    for name, value in one.items():
        both[name] = _together(value, both[name]) if isinstance(value, dict) and name in both else value
    return both


@pytest.mark.parametrize(("first", "second"), list(pairwise(_NAMES)))
def test_of_two_names_of_the_service_the_one_before_counts(first: str, second: str) -> None:
    both = _together(json.loads(SERVICES[first] % "one"), json.loads(SERVICES[second] % "two"))

    assert row_of(json.dumps({**both, "level": "info", "message": "m"}))["ServiceName"] == "one"


@pytest.mark.parametrize(
    "event",
    [
        {"name": "logger", "hostname": "kiln", "pid": 7, "v": 0, "level": 30, "msg": "m", "service": "own"},
        {"name": "own", "hostname": "kiln", "pid": 7, "v": 0, "level": 30, "msg": "m", "container_name": "c"},
    ],
)
def test_the_name_of_bunyan_comes_behind_what_says_service_and_before_what_an_agent_adds(event: dict[str, Any]) -> None:
    assert row_of(json.dumps(event))["ServiceName"] == "own"


@pytest.mark.parametrize(
    ("inside", "service"),
    [({"msg": "m", "service": "own"}, "own"), ({"msg": "m", "ident": "own"}, "own"), ({"msg": "m"}, "c")],
)
def test_what_is_inside_a_carrier_comes_before_what_the_carrier_knows(inside: dict[str, str], service: str) -> None:
    line = {"log": json.dumps(inside), "stream": "stdout", "container_name": "/c"}

    assert row_of(json.dumps(line))["ServiceName"] == service


def test_the_document_has_this_order() -> None:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8").partition("The **service** is")[2]
    places = [text.index(f"`{name}`") for name in _NAMES if not name.startswith("label")]

    assert places == sorted(places)
    assert places[-1] < text.index("the record's header `service.name`")


@pytest.mark.parametrize("name", [*SERVICES, ""])
def test_a_header_names_the_service_of_events_that_do_not(name: str) -> None:
    event = {"message": "m", **(json.loads(SERVICES[name] % "own") if name else {})}

    row = row_of(json.dumps(event), [("service.name", b"sent"), ("host.name", b"kiln")])

    assert (row["ServiceName"], row["ResourceAttributes"][-1] if not name else 0) == (
        ("own", 0) if name else ("sent", ("host.name", "kiln"))
    )

"""Objects for KEDA, Prometheus' operator and Strimzi, by the definitions of these projects."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.support.chart import render
from tests.support.chart_values import CHOICES
from tests.support.custom_resources import misfits, strict

OPERATORS = ("keda.sh/", "monitoring.coreos.com/", "kafka.strimzi.io/")
FILES = {"deploy/scaling/keda.yaml": 1, "deploy/kubernetes/kafka.yaml": 3}


def of_operators(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for found in objects if found["apiVersion"].startswith(OPERATORS)]


@pytest.mark.parametrize("file", FILES)
def test_the_operators_know_every_field_of_a_file(file: str) -> None:
    found = of_operators(list(yaml.safe_load_all((ROOT / file).read_text())))

    assert len(found) == FILES[file]
    assert [problem for manifest in found for problem in misfits(manifest)] == []


@pytest.mark.parametrize("choice", CHOICES)
def test_the_operators_know_every_field_of_the_chart(choice: str) -> None:
    found = of_operators(render(CHOICES[choice]).objects)

    assert [problem for manifest in found for problem in misfits(manifest)] == []


def test_the_chart_has_objects_of_each_kind() -> None:
    kinds = {found["kind"] for choice in CHOICES.values() for found in of_operators(render(choice).objects)}

    assert kinds == {"ScaledObject", "PodMonitor", "PrometheusRule"}


def test_a_field_or_a_value_that_an_operator_does_not_know_is_found() -> None:
    [manifest] = yaml.safe_load_all((ROOT / "deploy/scaling/keda.yaml").read_text())
    misspelt, wrong = deepcopy(manifest), deepcopy(manifest)
    misspelt["spec"]["triggers"][0]["metaData"] = {}
    wrong["spec"]["maxReplicaCount"] = "4"

    assert "'metaData' was unexpected" in "".join(misfits(misspelt))
    assert "spec/maxReplicaCount" in "".join(misfits(wrong))


def test_a_schema_allows_what_the_definition_leaves_open() -> None:
    definition = {
        "type": "object",
        "description": "left out",
        "properties": {
            "port": {"x-kubernetes-int-or-string": True},
            "any": {"type": "object", "properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True},
            "text": {"type": "string", "nullable": True},
        },
    }

    assert strict(definition) == {
        "type": "object",
        "properties": {
            "port": {"type": ["integer", "string"]},
            "any": {"type": "object", "properties": {"a": {}}},
            "text": {"type": ["string", "null"]},
        },
        "additionalProperties": False,
    }

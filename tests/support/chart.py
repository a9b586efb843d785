"""Renders the Helm chart as an installation would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, Final

import yaml

from local.paths import ROOT
from tests.support.chart_values import NEEDED
from tests.support.kubernetes import helm

CHART: Final = ROOT / "deploy" / "helm"
PARTS: Final = ("ingest", "query", "receive")


class Chart:
    """The objects of an installation."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.objects = objects

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """The objects of a kind by name."""
        return {found["metadata"]["name"]: found for found in self.objects if found["kind"] == kind}

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """An object; `name` is what follows that of the release."""
        return self.all(kind)[f"logs-log-analytics{name}"]

    def pod(self, part: str) -> dict[str, Any]:
        """How the instances of a deployment are made."""
        found: dict[str, Any] = self.one("Deployment", part)["spec"]["template"]["spec"]
        return found

    def environment(self, part: str) -> dict[str, str]:
        """The variables of its container; in place of what is in a Secret stands SECRET/KEY."""
        [container] = self.pod(part)["containers"]
        [source] = container["envFrom"]
        settings: dict[str, str] = self.all("ConfigMap")[source["configMapRef"]["name"]]["data"]
        secret = {
            variable["name"]: "{name}/{key}".format(**variable["valueFrom"]["secretKeyRef"])
            for variable in container.get("env", ())
        }
        return {**settings, **secret}


def with_needed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and what an installation needs besides."""
    merged = deepcopy(NEEDED)
    _merge(merged, values)
    return merged


def render(values: Mapping[str, Any], *, name: str = "logs", namespace: str = "shop") -> Chart:
    """The objects of an installation with these values and what it needs besides."""
    return _rendered(json.dumps(with_needed(values)), name, namespace)


def refusal(values: Mapping[str, Any]) -> str:
    """Why Helm does not install it.

    Raises:
        AssertionError: it would.
    """
    done = _template(json.dumps(values))
    assert done[0] != 0, "it would be installed"
    return done[2]


@cache
def _rendered(values: str, name: str, namespace: str) -> Chart:
    code, output, errors = _template(values, name, namespace)
    assert code == 0, errors
    return Chart([found for found in yaml.load_all(output, Loader=yaml.CSafeLoader) if found])


def _template(values: str, name: str = "logs", namespace: str = "shop") -> tuple[int, str, str]:
    # Its values are YAML, of which JSON is a part; they come through a pipe.
    done = helm("template", name, str(CHART), "--namespace", namespace, "--values", "-", given=values)
    return done.returncode, done.stdout, done.stderr


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value

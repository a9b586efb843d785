"""The kinds of KEDA, of Prometheus' operator and of Strimzi: what they know of our manifests.

`make custom-resources` takes the definitions of these kinds from the projects' own packages (KEDA and Prometheus'
operator are modules of Go; Strimzi generates its definitions by a program on Maven Central), and writes their schemas
to custom_resources.json, by which the tests check without a network. Not checked are rules in CEL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import jsonschema_rs
import yaml

_SCHEMAS: Final = Path(__file__).with_suffix(".json")
_KEDA: Final = "github.com/kedacore/keda/v2@v2.20.2"
_PROMETHEUS: Final = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_STRIMZI: Final = "1.2.0"
_OF_GO: Final = (
    (_KEDA, "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (_PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"),
    (_PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
)
_OF_STRIMZI: Final = ("kafka.Kafka", "nodepool.KafkaNodePool", "user.KafkaUser")
_KEPT: Final = {"type", "properties", "items", "required", "enum", "pattern", "minimum", "maximum", "anyOf", "oneOf"}
_KEPT_TOO: Final = {"additionalProperties", "minItems", "maxItems", "minLength", "maxLength"}
_LEFT_OUT: Final = {"status", "template"}
"""Properties that no manifest of ours has: what an operator reports, and how Strimzi makes pods. They are large."""


def misfits(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What the definition of its kind refuses or does not know of an object.

    Raises:
        KeyError: there is no definition of its kind.
    """
    for error in _validator(manifest["apiVersion"], manifest["kind"]).iter_errors(manifest):
        path = "/".join(map(str, error.instance_path))
        yield f"{manifest['kind']} {manifest['metadata']['name']}: {path}: {error.message}"


@cache
def _validator(version: str, kind: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schemas()[f"{version} {kind}"])


@cache
def _schemas() -> Any:
    return json.loads(_SCHEMAS.read_text(encoding="utf-8"))["kinds"]


def strict(definition: Any) -> Any:
    """The JSON schema of a part of a definition: it refuses what the part does not know, as `kubectl apply` does."""
    if not isinstance(definition, dict):
        return definition
    schema = {name: value for name, value in definition.items() if name in _KEPT | _KEPT_TOO}
    for name in ("items", "additionalProperties"):
        if name in schema:
            schema[name] = strict(schema[name])
    for name in ("anyOf", "oneOf"):
        if name in schema:
            schema[name] = [strict(choice) for choice in schema[name]]
    if "properties" in schema:
        parts = schema["properties"].items()
        schema["properties"] = {name: strict(part) for name, part in parts if name not in _LEFT_OUT}
        # A choice of `anyOf` names some properties of the object that it is part of.
        if schema.get("type") == "object" and not definition.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    if definition.get("x-kubernetes-int-or-string"):
        schema["type"] = ["integer", "string"]
    if definition.get("nullable") and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _kinds() -> Iterator[tuple[str, Any]]:
    """The kinds with their schemas."""
    for definition in (*_definitions_of_go(), *_definitions_of_strimzi()):
        spec = definition["spec"]
        for version in spec["versions"]:
            if version["served"]:
                name = f"{spec['group']}/{version['name']} {spec['names']['kind']}"
                yield name, strict(version["schema"]["openAPIV3Schema"])


def _definitions_of_go() -> Iterator[Any]:
    for module, path in _OF_GO:
        command = ["go", "mod", "download", "-json", module]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        yield yaml.safe_load(Path(json.loads(done.stdout)["Dir"], path).read_text(encoding="utf-8"))


def _definitions_of_strimzi() -> Iterator[Any]:
    # Not at the top: only this needs them.
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    from local.kafka_jars import java

    with TemporaryDirectory() as folder:
        home = Path(folder)
        context = MavenContext(repo_cache=home / "repository")
        builder = EnvironmentBuilder(context=context, cache_dir=home, link_strategy=LinkStrategy.AUTO)
        found = builder.from_endpoint(f"io.strimzi:api:{_STRIMZI}+io.strimzi:crd-generator:{_STRIMZI}")
        jars = ":".join(map(str, found.all_jars))
        files = {name: home / f"{name}.yaml" for name in _OF_STRIMZI}
        wanted = [f"io.strimzi.api.kafka.model.{name}={file}" for name, file in files.items()]
        command = [str(java()), "-cp", jars, "io.strimzi.crdgenerator.CrdGenerator", "--yaml", *wanted]
        subprocess.run(command, check=True)
        for file in files.values():
            yield yaml.safe_load(file.read_text(encoding="utf-8"))


def main() -> int:
    about = f"Made by `make custom-resources` of {_KEDA}, {_PROMETHEUS} and Strimzi {_STRIMZI} (Apache 2.0)"
    kinds = ",\n".join(f"{json.dumps(name)}: {json.dumps(schema, separators=(',', ':'))}" for name, schema in _kinds())
    text = f'{{"about": {json.dumps(about)},\n"kinds": {{\n{kinds}\n}}}}\n'
    _SCHEMAS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

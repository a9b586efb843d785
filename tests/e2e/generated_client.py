"""Clients that openapi-python-client generates from the description of the API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import yaml


def operations_of(description: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The described operations by id."""
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    return {operation["operationId"]: operation for operation in operations}


def generate(
    folder: Path, name: str, description: Mapping[str, Any], settings: Mapping[str, Any]
) -> subprocess.CompletedProcess[str]:
    """Generate a package as people do, but not formatted."""
    (folder / "openapi.json").write_text(json.dumps(description), encoding="utf-8")
    (folder / "settings.yaml").write_text(yaml.safe_dump({**settings, "post_hooks": []}), encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--output-path", name]
    files = ["--path", "openapi.json", "--config", "settings.yaml"]
    return subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True, timeout=60)


class GeneratedClient:
    """A generated package, and a client of it for the service at a URL."""

    def __init__(self, folder: Path, operations: Mapping[str, Mapping[str, Any]], url: str) -> None:
        self.operations = operations
        self._package = _imported(folder)
        client = import_module(f"{self._package}.client").Client
        self.connection: Any = client(base_url=url.rstrip("/"), httpx_args={"trust_env": False})
        self.models: Any = import_module(f"{self._package}.models")

    def module(self, operation: str) -> Any:
        """The module of an operation: that of its tag has it."""
        [tag] = self.operations[operation]["tags"]
        return import_module(f"{self._package}.api.{tag}.{operation}")

    def arguments(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as arguments: a form has its own type, without those of the path."""
        described = self.operations[operation]
        if "requestBody" not in described:
            return dict(parameters)
        in_path = {given["name"]: parameters[given["name"]] for given in described["parameters"]}
        form = {name: value for name, value in parameters.items() if name not in in_path}
        model = f"{operation.title().replace('_', '')}Body"
        return {**in_path, "body": getattr(self.models, model)(**form)}

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """The response: its status, content, and what was parsed."""
        arguments = self.arguments(operation, parameters)
        return self.module(operation).sync_detailed(client=self.connection, **arguments)


def _imported(folder: Path) -> str:
    """Import a package that is on no path; returns its name."""
    spec = spec_from_file_location(folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[folder.name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[folder.name])
    return folder.name

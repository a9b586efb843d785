"""Cloud Run's YAML, decoded by gcloud's own message classes, which name a field that they do not know."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.support.gcloud_facts import sdk_folder

_MODULES = {
    "Service": "service",
    "WorkerPool": "worker_pool",
    "Revision": "revision",
    "Job": "job",
    "Execution": "execution",
}


def decode(resource: dict[str, Any]) -> None:
    """Decode a Service, a WorkerPool or a Job as `gcloud run ... replace` does.

    Raises:
        Exception: a field is unknown or of another type; the message names it.
    """
    decoding = _module("googlecloudsdk.api_lib.util.messages")
    decoding.DictToMessageWithErrorCheck(resource, getattr(_messages(), resource["kind"]))


def misplaced_annotations(resource: dict[str, Any]) -> Iterator[str]:
    """Annotations that gcloud does not know at their place: on the resource, or on its revisions or executions."""
    kind, template = resource["kind"], resource["spec"]["template"].get("metadata", {})
    made = "Execution" if kind == "Job" else "Revision"
    for level, metadata in ((kind, resource["metadata"]), (made, template)):
        known = known_annotations(level)
        yield from (f"{name} on {level}" for name in metadata.get("annotations", ()) if name not in known)


def known_annotations(level: str) -> set[str]:
    """Those that the message class describes for this level, and those that gcloud itself sets there."""
    text = re.sub(r"-\n\s+", "-", inspect.getdoc(_messages().ObjectMeta) or "")
    described = re.findall(r"`([a-z.]+/[\w-]+)`:\s+([\w, \n]+)", text)
    own = _module(f"googlecloudsdk.api_lib.run.{_MODULES[level]}")
    constants = {value for name, value in vars(own).items() if name.endswith("_ANNOTATION")}
    if level == "Service":  # its constant is among those of revisions
        constants.add(_module("googlecloudsdk.api_lib.run.container_resource").DISABLE_IAM_ANNOTATION)
    return constants | {name for name, levels in described if level in levels}


def _messages() -> Any:
    return _module("googlecloudsdk.generated_clients.apis.run.v1.run_v1_messages")


def _module(name: str) -> Any:
    sdk = sdk_folder()
    # At the end: the SDK carries old copies of common packages.
    sys.path.extend(path for path in (f"{sdk}/lib", f"{sdk}/lib/third_party") if path not in sys.path)
    return importlib.import_module(name)

"""Logs as Datadog's agent and libraries send them.

Source: docs.datadoghq.com, "Send logs" of the API, and "Unified service tagging".
"""

from collections.abc import Sequence
from typing import Any, Final

from app.domain.keys import with_names_once
from app.formats.carriers.carried import Carried, Object, known, should_be_read, text_inside
from app.formats.reading import Reading

SOURCE, TAGS = "ddsource", "ddtags"
MARKS: Final = (SOURCE, TAGS)
_OF_AGENT: Final = frozenset({"message", "status", "timestamp", "hostname", "service", SOURCE, TAGS})
"""What the agent says of every line that it has read; its status is that of the stream at best."""

_RESOURCE: Final = {
    "env": "deployment.environment.name",
    "version": "service.version",
    "region": "cloud.region",
    "kube_cluster_name": "k8s.cluster.name",
    "kube_namespace": "k8s.namespace.name",
    "kube_deployment": "k8s.deployment.name",
    "kube_node": "k8s.node.name",
    "pod_name": "k8s.pod.name",
    "kube_container_name": "k8s.container.name",
    "container_name": "container.name",
    "container_id": "container.id",
    "image_name": "container.image.name",
}
_FIELDS: Final = {"service": "service", "host": "host"}


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"message": the line or an object, "ddsource": ..., "ddtags": "env:prod,version:1", "hostname": ...}."""
    message = parsed.get("message")
    inner: str | Object | None = message if isinstance(message, dict) and message else text_inside(message)
    outer = known(parsed, reading, *(["message"] if inner else []))
    outer.attributes = [(name, value) for name, value in outer.attributes if name != TAGS and (name, value) != _NONE]
    _take_tags(outer.fields, outer.resource, outer.attributes, parsed.get(TAGS))
    outer.attributes = with_names_once(outer.attributes)
    if not inner:
        return [Carried(outer, None)]
    if isinstance(inner, str) and not (parsed.keys() >= _OF_AGENT or should_be_read(outer, inner)):
        outer.fields["message"] = inner
        return [Carried(outer, None)]
    return [Carried(outer, inner)]


_NONE: Final = (SOURCE, "")


def _take_tags(
    fields: dict[str, Any], resource: list[tuple[str, Any]], attributes: list[tuple[str, Any]], tags: object
) -> None:
    """What the tags say: where the event ran, or attributes; those without a colon stay together."""
    plain = []
    for tag in _split(tags):
        name, colon, value = tag.partition(":")
        if not (colon and name and value):
            plain.append(tag)
        elif (field := _FIELDS.get(name)) and not fields.get(field):
            fields[field] = value
        elif key := _RESOURCE.get(name):
            resource.append((key, value))
        else:
            attributes.append((name, value))
    if plain:
        attributes.append((TAGS, ",".join(plain)))


def _split(tags: object) -> Sequence[str]:
    texts = tags if isinstance(tags, list) else [tags]
    return [tag.strip() for text in texts if isinstance(text, str) for tag in text.split(",") if tag.strip()]

"""Where an event ran, as OpenTelemetry's resource attributes: a table of the keys of agents, shown in `docs/events.md`.

Only keys below an object of an agent count, so that a key of the event's own such as `pod` stays an attribute.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.keys import one_spelling

_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "k8s.pod.name": ("kubernetes.pod_name", "kubernetes.pod.name", "resource.labels.pod_name"),
    "k8s.pod.uid": ("kubernetes.pod_id", "kubernetes.pod.uid", "kubernetes.pod_uid"),
    "k8s.pod.ip": ("kubernetes.pod_ip", "kubernetes.pod.ip"),
    "k8s.namespace.name": (
        *("kubernetes.namespace_name", "kubernetes.namespace", "kubernetes.pod_namespace"),
        *("kubernetes.namespace.name", "resource.labels.namespace_name"),
    ),
    "k8s.node.name": (
        *("kubernetes.host", "kubernetes.node.name", "kubernetes.node_name", "kubernetes.pod_node_name"),
        *("kubernetes.node.hostname", "resource.labels.node_name"),
    ),
    "k8s.container.name": (
        *("kubernetes.container_name", "kubernetes.container.name", "resource.labels.container_name"),
    ),
    "k8s.deployment.name": ("kubernetes.deployment.name", "kubernetes.deployment_name"),
    "k8s.cluster.name": ("kubernetes.cluster_name", "kubernetes.cluster.name", "resource.labels.cluster_name"),
    "container.name": ("container.name", "container_name", "_container_name"),
    "container.id": (
        *("container.id", "container_id", "_container_id", "kubernetes.docker_id", "kubernetes.container_id"),
        *("docker.container_id", "CONTAINER_ID_FULL"),
    ),
    "container.image.name": (
        *("container.image.name", "container_image", "_image_name", "kubernetes.container_image"),
    ),
    "cloud.account.id": ("resource.labels.project_id",),
    "cloud.region": ("cloud.region", "resource.labels.location"),
    "cloud.provider": ("cloud.provider",),
    "gcp.resource_type": ("resource.type",),
    "aws.ecs.cluster": ("ecs_cluster",),
    "aws.ecs.task.arn": ("ecs_task_arn",),
    "aws.ecs.task.family": ("ecs_task_definition",),
    "process.pid": ("_PID", "SYSLOG_PID"),
    "systemd.unit": ("_SYSTEMD_UNIT",),
}
_KEY_OF: Final = {name: key for key, names in _OF.items() for name in names}
_GROUPS: Final = {
    **dict.fromkeys(("kubernetes.labels.", "kubernetes.pod_labels."), "k8s.pod.label."),
    **dict.fromkeys(("kubernetes.annotations.", "kubernetes.pod_annotations."), "k8s.pod.annotation."),
    **dict.fromkeys(("resource.attributes.", "ResourceAttributes."), ""),  # as OpenTelemetry's tools print them
}
_APP_LABELS: Final = {
    one_spelling(f"{labels}.{name}"): rank
    for labels in ("kubernetes.labels", "kubernetes.pod_labels", "labels.k8s-pod")
    for rank, name in enumerate(("app.kubernetes.io/name", "app_kubernetes_io/name", "app", "k8s-app"))
}


def resource_key_of(name: str) -> str:
    """The resource attribute that a dotted name of an agent stands for, else ""."""
    if key := _KEY_OF.get(name, ""):
        return key
    return next((key + name[len(group) :] for group, key in _GROUPS.items() if name.startswith(group)), "")


def app_label_rank(name: str) -> int | None:
    """The rank of a label of Kubernetes that names the service, None for any other name."""
    return _APP_LABELS.get(one_spelling(name))

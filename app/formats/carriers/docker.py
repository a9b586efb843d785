"""Lines of containers: Docker's json-file, the tail of Fluent Bit and Fluentd with or without Kubernetes' filter."""

from collections.abc import Sequence
from typing import Final

from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("log",)
_BESIDE: Final = frozenset(("stream", "kubernetes", "container_id", "container_name", "docker", "ecs_cluster"))
_STREAM_OF: Final = ("stream", "source")


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"log": ..., "stream": ..., "time": ...}: the line, or the object that an agent has read from it."""
    line = parsed["log"]
    inner = line if isinstance(line, dict) and line and "kubernetes" in parsed else text_inside(line)
    if not inner or _BESIDE.isdisjoint(parsed):
        return None
    outer = known(parsed, reading, "log", "_p", "logtag", *_STREAM_OF)
    for name in _STREAM_OF:
        if parsed.get(name) in ("stdout", "stderr"):
            outer.resource.append(("log.iostream", parsed[name]))
        elif parsed.get(name) is not None:
            outer.attributes.append((name, parsed[name]))
    if isinstance(service := outer.fields.get("service"), str):
        outer.fields["service"] = service.removeprefix("/")  # Docker's names of containers begin with it
    return [Carried(outer, inner)]

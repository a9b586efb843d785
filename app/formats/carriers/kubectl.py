"""Lines of `kubectl logs --prefix` and of stern: the pod and the container in front of each."""

import re
from typing import Final

from app.domain.event import Event
from app.formats.carriers.carried import Carried
from app.formats.own_form import has_own_form
from app.formats.reading import Reading

_PREFIX: Final = re.compile(r"\[pod/(?P<pod>[a-z0-9.-]{1,253})/(?P<container>[a-z0-9-]{1,63})\] ?", re.ASCII)
# Pods of a Deployment end in five characters of Kubernetes' own alphabet, those of a StatefulSet in a number.
_STERN: Final = re.compile(
    r"(?P<pod>[a-z0-9][a-z0-9-]{0,230}-(?:[bcdfghjklmnpqrstvwxz2456789]{5}|\d{1,3})) "
    r"(?P<container>[a-z0-9][a-z0-9-]{0,62}) ",
    re.ASCII,
)


def opened(text: str, reading: Reading) -> Carried | None:
    """`[pod/web-5d4f/web] the line` of kubectl, `web-5d4f web the line` of stern."""
    match = _PREFIX.match(text)
    if match is None:
        match = _STERN.match(text)
        if match is None or not has_own_form(text[match.end() : match.end() + 80]):
            return None
    inner = text[match.end() :]
    resource = [("k8s.pod.name", match["pod"]), ("k8s.container.name", match["container"])]
    return Carried(Event({"message": inner, "service": match["container"]}, [], resource), inner)

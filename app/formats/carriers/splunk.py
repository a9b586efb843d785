"""Events as programs send them to Splunk's HTTP event collector (HEC), also those of Docker's driver for it.

Source: docs.splunk.com, "Format events for HTTP Event Collector".
"""

from collections.abc import Sequence
from typing import Final

from app.domain.json_values import as_text
from app.formats.carriers.carried import Carried, Object, known, text_inside
from app.formats.reading import Reading

MARKS: Final = ("event",)
OF_SPLUNK: Final = ("sourcetype", "index")
"""Keys of which an event has one; one that is empty is no more than the mark."""
_OF_DOCKER: Final = ("stdout", "stderr")
_OF_LIBRARY: Final = {"message", "severity"}
_OF_WINSTON: Final = {"msg", "meta"}


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"time": ..., "host": ..., "sourcetype": ..., "event": any value, "fields": {...}}."""
    event = parsed["event"]
    if not any(name in parsed for name in OF_SPLUNK) or event in ("", None, {}):
        return None
    outer = known(_with_fields(parsed), reading, "event", *_empty(parsed))
    if message := outer.fields.pop("message", None):  # the event itself is the message
        outer.attributes.append(("message", message))
    if not isinstance(event, str | dict):
        outer.fields["message"] = as_text(event)
        return [Carried(outer, None)]
    if isinstance(event, dict) and event.get("source") in _OF_DOCKER and event.get("line"):
        return [_of_docker(parsed, event, reading)]
    if isinstance(event, dict) and event.keys() == _OF_LIBRARY and isinstance(event["message"], dict):
        return [_of_library(parsed, event, reading)]
    inner = event if isinstance(event, dict) else text_inside(event)
    return [Carried(outer, inner)] if inner else None


def _of_docker(parsed: Object, event: Object, reading: Reading) -> Carried:
    """{"event": {"line": a text or an object, "source": "stdout", "tag": ..., "attrs": {...}}}."""
    about = {name: value for name, value in event.items() if name not in ("line", "source")}
    outer = known({**about, **_with_fields(parsed)}, reading, "event", *_empty(parsed))
    outer.resource.append(("log.iostream", event["source"]))
    line = event["line"]
    return Carried(outer, line if isinstance(line, dict) else as_text(line))


def _of_library(parsed: Object, event: Object, reading: Reading) -> Carried:
    """{"event": {"message": {...}, "severity": "warn"}} of splunk-logging.

    The message of winston's transport is {"msg": ..., "meta": {...}}, where `meta` has all that was logged.
    """
    outer = known({**_with_fields(parsed), "severity": event["severity"]}, reading, "event", *_empty(parsed))
    message = event["message"]
    meta = message.get("meta")
    is_of_winston = message.keys() == _OF_WINSTON and isinstance(meta, dict)
    return Carried(outer, {"message": message["msg"], **meta} if is_of_winston else message)


def _with_fields(parsed: Object) -> Object:
    """The event with its fields beside the other keys, but for those of the same name."""
    fields = parsed.get("fields")
    if not isinstance(fields, dict):
        return parsed
    lifted = {name: value for name, value in fields.items() if name not in parsed}
    left = {name: value for name, value in fields.items() if name in parsed}
    return {**{name: value for name, value in parsed.items() if name != "fields"}, **lifted, "fields": left or None}


def _empty(parsed: Object) -> Sequence[str]:
    return [name for name in OF_SPLUNK if parsed.get(name) == ""]

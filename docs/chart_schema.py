"""The schema of the Helm chart's values: what it says of settings is made from the code, so that no typo can ship.

`python -m docs.chart_schema` writes deploy/helm/values.schema.json; the rest of that file is written by hand.
"""

import json
from typing import Any, Final

from app.environment import setting_names
from app.settings import Settings
from app.settings_group import SettingsGroup
from local.paths import ROOT

FILE: Final = ROOT / "deploy" / "helm" / "values.schema.json"

# Set by the chart itself, or by the image: probes and Services reach an instance by its own address.
_RESERVED: Final = ("ROLES", "HTTP_HOST", "HTTP_PORT", "METRICS_PORT", "SYSLOG_HOST")
_ABOUT_VALUES: Final = ("type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "minLength")


def completed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with today's settings as its definitions `settings`, `secrets` and `files`."""
    described = _described()
    secrets = [name for name, about in described.items() if about.get("format") == "password"]
    paths = [name for name, about in described.items() if about.get("format") == "file-path"]
    plain = {
        name: {key: about[key] for key in _ABOUT_VALUES if key in about}
        for name, about in described.items()
        if name not in (*secrets, *paths) and name not in _RESERVED
    }
    files = sorted({*paths, *(f"{name}_FILE" for name in secrets)})
    made = {
        "settings": _only(plain),
        "secrets": _only({name: {"$ref": "#/definitions/inSecret"} for name in secrets}),
        "files": _only({name: {"$ref": "#/definitions/inFile"} for name in files}),
    }
    return {**schema, "definitions": {**schema["definitions"], **made}}


def text(schema: dict[str, Any]) -> str:
    """The content of the file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _described() -> dict[str, dict[str, Any]]:
    """What pydantic says of the type of each setting, by its name in the environment."""
    groups = [field.annotation for field in Settings.model_fields.values()]
    fields = [
        about
        for group in groups
        if isinstance(group, type) and issubclass(group, SettingsGroup)
        for about in group.model_json_schema()["properties"].values()
    ]
    return {name: _set(about) for name, about in zip(setting_names(), fields, strict=True)}


def _set(about: dict[str, Any]) -> dict[str, Any]:
    """The type of a setting that may be unset: in values it is left out then, and never null."""
    return next((kind for kind in about.get("anyOf", ()) if kind.get("type") != "null"), about)


def _only(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


if __name__ == "__main__":
    FILE.write_text(text(completed(json.loads(FILE.read_text(encoding="utf-8")))), encoding="utf-8")

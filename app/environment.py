"""Reads the settings from environment variables, and from the files that hold secrets."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from app.errors import BadSettings
from app.retention_settings import RetentionSettings
from app.settings import ClickHouseSettings, HttpSettings, MetricsSettings, QuerySettings, Settings
from app.settings_group import SettingsGroup
from app.syslog_settings import SyslogSettings


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all settings.

    A secret `X` may stand in a file whose path is in `X_FILE`.

    Raises:
        BadSettings: with every problem at once; secrets are not shown.
    """
    problems: list[str] = []
    groups = {name: _read_group(name, group, environ, problems) for name, group in _groups()}
    problems.extend(_conflicts_between(groups))
    if problems:
        raise BadSettings(problems)
    on_cloud_run = "K_SERVICE" in environ or "CLOUD_RUN_WORKER_POOL" in environ
    return Settings.model_validate({**groups, "on_cloud_run": on_cloud_run})


def setting_names() -> dict[str, FieldInfo]:
    """Environment name of every setting, with its field: type, default and description."""
    return {
        _env_name(group_name, field_name): field
        for group_name, group in _groups()
        for field_name, field in group.model_fields.items()
    }


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable whose name is nearly that of a setting, and which therefore has no effect."""
    known = {*setting_names(), *(name + "_FILE" for name in _secret_names())}
    sentences = []
    for name in sorted(environ.keys() - known):
        meant = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
        if meant:
            sentences.append(f"{name} is not a setting and has no effect; was {meant[0]} meant?")
    return sentences


def _groups() -> Iterator[tuple[str, type[SettingsGroup]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, SettingsGroup):
            yield name, field.annotation


def _env_name(group_name: str, field_name: str) -> str:
    """Settings of the whole service have no prefix."""
    return (field_name if group_name == "service" else f"{group_name}_{field_name}").upper()


def _secret_names() -> list[str]:
    return [name for name, field in setting_names().items() if "SecretStr" in str(field.annotation)]


def _may_stand_in_file(name: str) -> bool:
    """Whether X_FILE is the source of a secret X, and no setting of its own."""
    return name in _secret_names() and f"{name}_FILE" not in setting_names()


def _read_group(
    name: str, group: type[SettingsGroup], environ: Mapping[str, str], problems: list[str]
) -> SettingsGroup | None:
    values: dict[str, Any] = {}
    for field_name in group.model_fields:
        text = _read_value(_env_name(name, field_name), environ, problems)
        if text is not None:
            values[field_name] = text
    try:
        return group.model_validate(values)
    except ValidationError as error:
        problems.extend(_sentences(name, error, environ))
        return None


def _read_value(name: str, environ: Mapping[str, str], problems: list[str]) -> str | None:
    if text := environ.get(_source(name, environ)):
        # A secret that was typed or saved as a file has a line's end, which whoever else reads it leaves out.
        return text.rstrip("\r\n") or None if name in _secret_names() else text
    path = environ.get(f"{name}_FILE")
    if path and _may_stand_in_file(name):
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
        except OSError as error:
            problems.append(f"{name}_FILE={path}: the file cannot be read ({error.strerror})")
        except ValueError:
            problems.append(f"{name}_FILE={path}: the file is not UTF-8 text")
    return None


def _conflicts_between(groups: Mapping[str, SettingsGroup | None]) -> Iterator[str]:
    """A sentence for each rule between settings of different groups that is broken."""
    yield from _ports_conflict(groups)
    yield from _retention_conflict(groups)
    query, http = groups["query"], groups["http"]
    if isinstance(query, QuerySettings) and isinstance(http, HttpSettings):
        most = query.max_streams + 2 * query.max_concurrent  # as many queries may wait as run
        if most >= http.threads:
            yield (
                f"HTTP_THREADS={http.threads} must be more than QUERY_MAX_STREAMS={query.max_streams} and twice"
                f" QUERY_MAX_CONCURRENT={query.max_concurrent}: queries and exports wait for slots on these threads"
            )


def _retention_conflict(groups: Mapping[str, SettingsGroup | None]) -> Iterator[str]:
    retention, clickhouse = groups["retention"], groups["clickhouse"]
    if isinstance(retention, RetentionSettings) and isinstance(clickhouse, ClickHouseSettings):
        for rule in retention.rules.rules:
            if rule.days > clickhouse.retention_days:
                yield (
                    f"RETENTION_DAYS_BY_SERVICE has {str(rule)!r}: nothing is kept for longer than"
                    f" CLICKHOUSE_RETENTION_DAYS={clickhouse.retention_days}; raise that, and give others shorter rules"
                )


def _ports_conflict(groups: Mapping[str, SettingsGroup | None]) -> Iterator[str]:
    http, metrics = groups["http"], groups["metrics"]
    if isinstance(http, HttpSettings) and isinstance(metrics, MetricsSettings) and http.port == metrics.port:
        yield f"METRICS_PORT={metrics.port} must be another port than HTTP_PORT"
    syslog = groups["syslog"]
    if isinstance(http, HttpSettings) and isinstance(metrics, MetricsSettings) and isinstance(syslog, SyslogSettings):
        taken = {http.port: "HTTP_PORT", metrics.port: "METRICS_PORT"}
        for name, port in (("SYSLOG_PORT", syslog.port), ("SYSLOG_TLS_PORT", syslog.tls_port)):
            if port is not None and port in taken:
                yield f"{name}={port} must be another port than {taken[port]}"


def _source(name: str, environ: Mapping[str, str]) -> str:
    """The variable that a setting is read from: its own, except that PORT, which Cloud Run sets, takes precedence."""
    return "PORT" if name == "HTTP_PORT" and environ.get("PORT") else name


def _sentences(group_name: str, error: ValidationError, environ: Mapping[str, str]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            yield from message.splitlines()
            continue
        name = _env_name(group_name, str(problem["loc"][0]))
        held = "(hidden)" if name in _secret_names() or "@" in problem["input"] else repr(problem["input"])
        yield f"{_source(name, environ)} is {held}: {message[0].lower()}{message[1:]}"

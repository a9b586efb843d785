"""Every knob: name, type, default, unit, meaning. The only reader of the environment."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from app.errors import BadSettings

SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
Role = Literal["ingest", "query"]

ALL_ROLES: Final[tuple[Role, ...]] = get_args(Role)


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if conflicts := list(self._conflicts()):
            raise ValueError("\n".join(conflicts))
        return self

    def _conflicts(self) -> Iterator[str]:
        """A sentence for each rule between settings that is broken."""
        return iter(())


class ServiceSettings(_Group):
    """Which parts of the service an instance runs. Environment: ROLES."""

    roles: tuple[Role, ...] = Field(
        ALL_ROLES,
        description="What this instance does, comma-separated: `ingest` moves logs from Kafka to ClickHouse, `query`"
        " serves the API and the explorer.",
    )

    @field_validator("roles", mode="before")
    @classmethod
    def _are_known(cls, roles: object) -> object:
        """The roles that a text names, in the one order; anything else is left to be checked."""
        if not isinstance(roles, str):
            return roles
        named = {role.strip() for role in roles.split(",")}
        if not named <= set(ALL_ROLES):
            raise ValueError(f"must be one or more of {', '.join(ALL_ROLES)}, comma-separated")
        return tuple(role for role in ALL_ROLES if role in named)


class KafkaSettings(_Group):
    """How to reach Kafka and what to read there. Environment: KAFKA_*."""

    bootstrap_servers: str = Field("localhost:9092", description="Brokers to start from, host:port, comma-separated.")
    topic: str = Field("logs", pattern=r"^[a-zA-Z0-9._-]{1,249}$", description="Topic that holds the logs.")
    topic_partitions: int = Field(
        4,
        ge=1,
        description="Partitions of the topic when the service creates it; at most so many instances share the work.",
    )
    topic_replication_factor: int = Field(
        1, ge=1, description="Copies of each partition when the service creates the topic."
    )
    topic_retention_hours: int = Field(
        168, ge=1, description="How long Kafka keeps records when the service creates the topic."
    )
    group_id: str = Field(
        "log-ingest",
        min_length=1,
        description="Consumer group; instances with the same one share the partitions.",
    )
    start_from: Literal["earliest", "latest"] = Field(
        "earliest",
        description="Where a new group begins, once. Partitions added later always start at their beginning.",
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Protocol of the connection to brokers."
    )
    sasl_mechanism: SaslMechanism | None = Field(None, description="Needed with SASL_SSL and SASL_PLAINTEXT.")
    sasl_username: str | None = Field(None, description="User for PLAIN and SCRAM.")
    sasl_password: SecretStr | None = Field(None, description="Password for PLAIN and SCRAM.")
    sasl_oauth_token_file: FilePath | None = Field(
        None, description="File with a bearer token for OAUTHBEARER, read again for every connection."
    )
    sasl_oauth_provider: Literal["file", "google"] = Field(
        "file",
        description="Where OAUTHBEARER tokens come from: a file, or the machine's Google credentials (Managed Kafka).",
    )
    ssl_ca_file: FilePath | None = Field(None, description="CA certificates in PEM; the system's are used without it.")
    ssl_cert_file: FilePath | None = Field(None, description="Client certificate in PEM, for mutual TLS.")
    ssl_key_file: FilePath | None = Field(None, description="Key of the client certificate in PEM.")
    ssl_key_password: SecretStr | None = Field(None, description="Password of the key.")
    ssl_check_hostname: bool = Field(True, description="Whether the broker's certificate must name the broker's host.")
    session_timeout_secs: float = Field(
        15, ge=6, le=300, description="After so long without a heartbeat an instance counts as dead."
    )
    max_poll_interval_secs: float = Field(
        300, ge=30, description="After so long without a poll an instance loses its partitions."
    )
    connect_attempts: int = Field(
        10,
        ge=1,
        description="Attempts before the log says that Kafka is unavailable; the service keeps trying.",
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_addresses(cls, servers: str) -> str:
        if not all(_is_address(server.strip()) for server in servers.split(",")):
            raise ValueError("must be like host:9092,other-host:9092")
        return servers

    def _conflicts(self) -> Iterator[str]:
        uses_sasl = self.security_protocol.startswith("SASL")
        if uses_sasl and self.sasl_mechanism is None:
            yield f"KAFKA_SASL_MECHANISM is needed with KAFKA_SECURITY_PROTOCOL={self.security_protocol}"
        elif not uses_sasl and self.sasl_mechanism is not None:
            yield (
                f"KAFKA_SASL_MECHANISM={self.sasl_mechanism} needs KAFKA_SECURITY_PROTOCOL=SASL_SSL or SASL_PLAINTEXT,"
                f" it is {self.security_protocol}"
            )
        if self.sasl_mechanism == "OAUTHBEARER":
            if self.sasl_oauth_provider == "file" and self.sasl_oauth_token_file is None:
                yield "KAFKA_SASL_OAUTH_TOKEN_FILE is needed with KAFKA_SASL_OAUTH_PROVIDER=file"
        elif self.sasl_mechanism is not None and (self.sasl_username is None or self.sasl_password is None):
            yield f"KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed with {self.sasl_mechanism}"
        if (self.ssl_cert_file is None) != (self.ssl_key_file is None):
            yield "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE are needed together"
        if self.max_poll_interval_secs <= self.session_timeout_secs:
            yield "KAFKA_MAX_POLL_INTERVAL_SECS must be longer than KAFKA_SESSION_TIMEOUT_SECS"


class ClickHouseSettings(_Group):
    """How to reach ClickHouse and which table to fill. Environment: CLICKHOUSE_*."""

    url: str = Field("http://localhost:8123", description="HTTP or HTTPS address of ClickHouse.")
    user: str = Field(
        "default",
        description="User that inserts, creates the table when it is missing, and alters it for a new version.",
    )
    password: SecretStr = Field(SecretStr(""), description="Password of the user.")
    database: str = Field("logs", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", description="Database of the table.")
    table: str = Field("logs", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", description="Table of the logs.")
    reader_table: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="Table that queries read, such as a Distributed one; without it the table of the logs.",
    )
    ca_file: FilePath | None = Field(
        None, description="CA certificates in PEM for HTTPS; the system's are used without it."
    )
    tls_verify: bool = Field(True, description="Whether the certificate of an HTTPS address is checked.")
    reader_user: str | None = Field(
        None, description="User that runs queries: one that may only read, with a profile of `readonly = 2`."
    )
    reader_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    retention_days: int = Field(
        30,
        ge=3,
        le=3650,
        description="Age at which rows are deleted; used when the service creates the table.",
    )
    insert_deadline_secs: float = Field(
        10,
        ge=1,
        le=120,
        description="ClickHouse refuses an insert that gets to it later than this after its lease was taken; also how"
        " long the next owner of a partition may have to wait.",
    )
    min_free_percent: float = Field(
        5,
        ge=0,
        lt=50,
        description="Nothing is stored while less of ClickHouse's disk than this is free; 0 never looks.",
    )
    connect_attempts: int = Field(
        10,
        ge=1,
        description="Attempts before the log says that ClickHouse is unavailable; the service keeps trying.",
    )

    def as_reader(self) -> Self:
        """The same, with the user and the table of queries in place of those of inserts."""
        own: dict[str, object] = {}
        if self.reader_user is not None:
            own |= {"user": self.reader_user, "password": self.reader_password}
        if self.reader_table is not None:
            own |= {"table": self.reader_table}
        return self.model_copy(update=own)

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url.rstrip("/"))
        if parts.username or parts.password:
            raise ValueError("must not hold a user or password; use CLICKHOUSE_USER and CLICKHOUSE_PASSWORD")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("must be like http://host:8123 or https://host:8443")
        if parts.path or parts.query or parts.fragment:
            raise ValueError("must end with the host or port; database and user have settings of their own")
        return url.rstrip("/")


class BatchSettings(_Group):
    """When a batch is full. Environment: BATCH_*."""

    max_rows: int = Field(100_000, ge=1, le=500_000, description="Rows after which a batch is stored.")
    max_bytes: int = Field(
        12 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="Bytes (decoded) after which a batch is stored.",
    )
    max_age_secs: float = Field(1.0, gt=0, le=60, description="Age of the oldest row after which a batch is stored.")


class QuerySettings(_Group):
    """Limits of queries. Environment: QUERY_*."""

    timeout_secs: float = Field(
        10, ge=0.01, le=600, description="Time limit of a query that does not set `timeout_ms`."
    )
    max_timeout_secs: float = Field(60, ge=0.01, le=600, description="The highest time limit that a query may set.")
    max_concurrent: int = Field(
        4,
        ge=1,
        le=256,
        description="Queries that run at the same time (slots); others wait for a moment, then get a 429.",
    )
    queue_secs: float = Field(1, ge=0, le=60, description="How long a query waits for a slot.")
    max_memory_bytes: int = Field(
        2_000_000_000, ge=50_000_000, description="Memory of ClickHouse that one query may use."
    )
    max_rows: int = Field(
        0, ge=0, description="Rows that ClickHouse may read for one query; 0 for as many as its time allows."
    )
    max_threads: int = Field(
        0, ge=0, le=1024, description="Threads of ClickHouse that one query may use; 0 leaves that to ClickHouse."
    )
    max_streams: int = Field(
        8, ge=1, le=1024, description="Live tails and exports at the same time; each takes one of HTTP_THREADS."
    )

    def granted_secs(self, asked_ms: int | None) -> float:
        """The time that a query gets if it requests `asked_ms`, or requests nothing."""
        return min(self.timeout_secs if asked_ms is None else asked_ms / 1000, self.max_timeout_secs)

    def _conflicts(self) -> Iterator[str]:
        if self.timeout_secs > self.max_timeout_secs:
            yield f"QUERY_TIMEOUT_SECS={self.timeout_secs} is more than QUERY_MAX_TIMEOUT_SECS={self.max_timeout_secs}"


class HttpSettings(_Group):
    """Where the HTTP side listens. Environment: HTTP_*, and PORT as Cloud Run gives it."""

    host: str = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - a container must listen on all
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on; PORT, where set, comes first.")
    threads: int = Field(24, ge=4, le=256, description="Requests answered at the same time.")


class LogSettings(_Group):
    """The service's own log. Environment: LOG_*."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity that is written.")
    format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="Lines for people or JSON for machines; auto is JSON on Cloud Run and text elsewhere.",
    )


class AuditSettings(_Group):
    """The audit beside the running service. Environment: AUDIT_*."""

    interval_secs: float = Field(
        300,
        ge=0,
        le=86_400,
        description="Time between comparisons of what was consumed lately with what is stored; 0 for none.",
    )


class Settings(_Group):
    """Everything that can be set, checked, and not to be changed afterwards."""

    service: ServiceSettings = ServiceSettings()
    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    batch: BatchSettings = BatchSettings()
    query: QuerySettings = QuerySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()
    audit: AuditSettings = AuditSettings()
    on_cloud_run: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read all settings.

        A secret `X` may stand in a file named by `X_FILE`.

        Raises:
            BadSettings: with every problem at once; secrets are not shown.
        """
        problems: list[str] = []
        groups = {name: _read_group(name, group, environ, problems) for name, group in _groups()}
        problems.extend(_conflicts_between(groups))
        if problems:
            raise BadSettings(problems)
        on_cloud_run = "K_SERVICE" in environ or "CLOUD_RUN_WORKER_POOL" in environ
        return cls.model_validate({**groups, "on_cloud_run": on_cloud_run})


def setting_names() -> dict[str, FieldInfo]:
    """Environment name of every setting, with its field: type, default and description."""
    return {
        _env_name(group_name, field_name): field
        for group_name, group in _groups()
        for field_name, field in group.model_fields.items()
    }


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that is nearly the name of a setting, and so has no effect."""
    known = {*setting_names(), *(name + "_FILE" for name in _secret_names())}
    sentences = []
    for name in sorted(environ.keys() - known):
        meant = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
        if meant:
            sentences.append(f"{name} is not a setting and has no effect; was {meant[0]} meant?")
    return sentences


def _groups() -> Iterator[tuple[str, type[_Group]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Group):
            yield name, field.annotation


def _env_name(group_name: str, field_name: str) -> str:
    """Settings of the whole service have no prefix."""
    return (field_name if group_name == "service" else f"{group_name}_{field_name}").upper()


def _secret_names() -> list[str]:
    return [name for name, field in setting_names().items() if "SecretStr" in str(field.annotation)]


def _read_group(name: str, group: type[_Group], environ: Mapping[str, str], problems: list[str]) -> _Group | None:
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
        return text
    path = environ.get(f"{name}_FILE")
    if path and name in _secret_names():
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
        except OSError as error:
            problems.append(f"{name}_FILE={path}: the file cannot be read ({error.strerror})")
        except ValueError:
            problems.append(f"{name}_FILE={path}: the file is not UTF-8 text")
    return None


def _conflicts_between(groups: Mapping[str, _Group | None]) -> Iterator[str]:
    """A sentence for each rule between settings of different groups that is broken."""
    query, http = groups["query"], groups["http"]
    if isinstance(query, QuerySettings) and isinstance(http, HttpSettings):
        most = query.max_streams + 2 * query.max_concurrent  # as many wait as are answered
        if most >= http.threads:
            yield (
                f"HTTP_THREADS={http.threads} must be more than QUERY_MAX_STREAMS={query.max_streams} and twice"
                f" QUERY_MAX_CONCURRENT={query.max_concurrent}: one must be left to say that the service is alive"
            )


def _source(name: str, environ: Mapping[str, str]) -> str:
    """The variable that a setting is read from: its own, but for the port that Cloud Run gives."""
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


def _is_address(text: str) -> bool:
    """Whether it is host:port; an IPv6 host stands in brackets."""
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname and parts.port) and text == parts.netloc and "@" not in text
    except ValueError:
        return False

"""Every setting: name, type, default, unit, meaning, and the rules between settings of one group."""

from collections.abc import Iterator
from typing import Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, field_validator

from app.auth_settings import AuthSettings
from app.domain.json_values import MOST_DEEP
from app.domain.masking.parse import parse_mask, parse_patterns_to_mask
from app.domain.name_patterns import parse_patterns
from app.domain.networks import is_loopback, parse_networks
from app.domain.times import zone_named
from app.domain.topics import TopicChoice, parse_topics
from app.domain.zone_rules import parse_zone_rules
from app.receive_settings import ReceiveSettings
from app.retention_settings import RetentionSettings
from app.scaling_settings import ScalingSettings
from app.settings_group import SettingsGroup
from app.syslog_settings import SyslogSettings

SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
Role = Literal["ingest", "query", "receive"]

ALL_ROLES: Final[tuple[Role, ...]] = get_args(Role)

_MOST_GATHER_SECS: Final = 0.5


class ServiceSettings(SettingsGroup):
    """Which parts of the service an instance runs, and by what it reads events. Environment: these names."""

    roles: tuple[Role, ...] = Field(
        ALL_ROLES,
        description="What this instance does, comma-separated: `ingest` moves logs from Kafka to ClickHouse, `query`"
        " serves the API and the explorer, `receive` takes logs over HTTP and puts them on Kafka.",
    )

    default_timezone: str = Field(
        "UTC",
        description="Zone of times in logs that state none, a name of the tz database such as `Europe/Berlin`. A Kafka"
        " header `timezone` and `TIMEZONES` count before it.",
    )
    timezones: str = Field(
        "",
        description="The same for single hosts and services, comma-separated: `host:tokyo-*=Asia/Tokyo,"
        " service:billing=America/New_York`. Hosts count before services, and of several that match the first.",
    )
    day_first: bool | None = Field(
        None,
        description="Whether 03/04/2026 in a log is in April (`true`) or in March (`false`). Unset: where the line does"
        " not tell, the record's time counts, and the row is flagged.",
    )
    future_tolerance_secs: float = Field(
        600,
        ge=0,
        le=86_400,
        description="How far after its record's time a time without a zone may lie; further, it is of another zone, the"
        " record's time counts, and the row is flagged.",
    )
    levels_from_status: bool = Field(
        True, description="Whether the HTTP status of an access log, text or JSON, is its level (5xx ERROR, 4xx WARN)."
    )

    decoder: Literal["auto", "python", "native"] = Field(
        "auto",
        description="What reads records: `native`, compiled code that takes a fraction of the processor time, and takes"
        " them from confluent-kafka's library as well; `python`, which makes the same rows; `auto`, native where it is"
        " installed ([architecture.md](architecture.md#compiled-code)).",
    )

    keep_headers: str = Field(
        "",
        description="Kafka headers that are kept as attributes `messaging.header.NAME`, comma-separated, such as"
        " `request-id,tenant-*`. Up to 64 of a record, of 1,024 characters each.",
    )
    keep_key: bool = Field(
        False, description="Whether the key of a record is kept as the attribute `messaging.kafka.message.key`."
    )

    max_attributes: int = Field(
        1000,
        ge=10,
        le=10_000,
        description="Attributes of a log; what is beyond is kept as JSON in the attribute `log.overflow`, and the row"
        " is flagged.",
    )
    max_attribute_name_chars: int = Field(
        256, ge=32, le=4096, description="Characters of an attribute's name; one with more is kept there too."
    )
    max_attribute_depth: int = Field(
        16,
        ge=1,
        le=MOST_DEEP,
        description="How deep objects in an event are looked into; one that is nested deeper is the JSON text of one"
        " attribute, and the row is flagged.",
    )
    mask: str = Field(
        "",
        description="Secrets that are masked before a row is stored, comma-separated: `passwords`, `tokens`, `cards`,"
        " `ibans`, `emails`. Kafka keeps the originals.",
    )
    mask_patterns: SecretStr = Field(
        SecretStr(""),
        description="Further secrets to mask: one a line, a name, a blank and a regular expression (RE2), such as"
        r" `customer \bC-[0-9]{8}\b`. Also from a file, `MASK_PATTERNS_FILE`.",
    )

    @field_validator("default_timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if zone_named(name) is None:
            raise ValueError("must be a name of the tz database, such as UTC or Europe/Berlin")
        return name

    @field_validator("timezones")
    @classmethod
    def _are_zone_rules(cls, text: str) -> str:
        parse_zone_rules(text)
        return text

    @field_validator("keep_headers")
    @classmethod
    def _are_names(cls, text: str) -> str:
        parse_patterns(text)
        return text

    @field_validator("mask")
    @classmethod
    def _are_rules(cls, text: str) -> str:
        parse_mask(text)
        return text

    @field_validator("mask_patterns")
    @classmethod
    def _are_expressions(cls, text: SecretStr) -> SecretStr:
        parse_patterns_to_mask(text.get_secret_value())
        return text

    @field_validator("roles", mode="before")
    @classmethod
    def _are_known(cls, roles: object) -> object:
        """The roles that a text names, in a fixed order; values of other types are left to pydantic."""
        if not isinstance(roles, str):
            return roles
        named = {role.strip() for role in roles.split(",")}
        if not named <= set(ALL_ROLES):
            raise ValueError(f"must be one or more of {', '.join(ALL_ROLES)}, comma-separated")
        return tuple(role for role in ALL_ROLES if role in named)


class KafkaSettings(SettingsGroup):
    """How to reach Kafka and what to read there. Environment: KAFKA_*."""

    bootstrap_servers: str = Field("localhost:9092", description="Brokers to start from, host:port, comma-separated.")
    topic: str = Field(
        "logs",
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
        description="Topic that holds the logs: what the receivers write and the service reads; created if missing.",
    )
    topics: str = Field(
        "",
        description="Further topics to read, comma-separated: names, names with `*` and `?`, and regular expressions,"
        r" which begin with `^`, such as `billing,app-*,^team\.(a|b)\.`. Patterns match no topics that begin with `_`.",
    )
    topic_partitions: int = Field(
        4,
        ge=1,
        description="Partitions of the topic when the service creates it; no more instances than this share the work.",
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
    ssl_ca_file: FilePath | None = Field(None, description="CA certificates in PEM; by default the system's.")
    ssl_cert_file: FilePath | None = Field(None, description="Client certificate in PEM, for mutual TLS.")
    ssl_key_file: FilePath | None = Field(None, description="Key of the client certificate in PEM.")
    ssl_key_password: SecretStr | None = Field(None, description="Password of the key.")
    ssl_check_hostname: bool = Field(True, description="Whether the broker's certificate must name the broker's host.")
    session_timeout_secs: float = Field(
        15, ge=6, le=300, description="Time without a heartbeat after which Kafka considers an instance dead."
    )
    max_poll_interval_secs: float = Field(
        300, ge=30, description="Time without a poll after which an instance loses its partitions."
    )
    connect_attempts: int = Field(
        10,
        ge=1,
        description="Attempts before the log says that Kafka is unavailable; the service keeps trying.",
    )
    client: Literal["auto", "kafka-python", "confluent"] = Field(
        "auto",
        description="What fetches records: `confluent` (librdkafka) takes a quarter of the CPU of `kafka-python`;"
        " `auto` is `confluent` where it is installed. The rest is `kafka-python` always.",
    )

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_addresses(cls, servers: str) -> str:
        if not all(_is_address(server.strip()) for server in servers.split(",")):
            raise ValueError("must be like host:9092,other-host:9092")
        return servers

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, text: str) -> str:
        parse_topics("", text)
        return text

    @property
    def topics_in_words(self) -> str:
        """The settings that choose topics, for messages."""
        return f"topic {self.topic}" + (f" and {self.topics}" if self.topics else "")

    @property
    def topic_choice(self) -> TopicChoice:
        """The topics to read."""
        return parse_topics(self.topic, self.topics)

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


class ClickHouseSettings(SettingsGroup):
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
        description="Table that queries read, such as a Distributed one, but no view; by default that of the logs.",
    )
    cluster: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Name of the cluster whose servers share the address of CLICKHOUSE_URL, such as `default` at"
        " ClickHouse Cloud; leave it out if that is the address of one server.",
    )
    ca_file: FilePath | None = Field(None, description="CA certificates in PEM for HTTPS; by default the system's.")
    tls_verify: bool = Field(True, description="Whether the certificate of an HTTPS address is checked.")
    reader_user: str | None = Field(
        None,
        description="User that runs queries: a read-only user, with a profile of `readonly = 2`. To end a query when"
        " its client disconnects, it must be allowed to read `system.processes`.",
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
        description="ClickHouse refuses an insert that arrives later than this after its lease was taken; the next"
        " owner of a partition may have to wait as long.",
    )
    min_free_percent: float = Field(
        5,
        ge=0,
        lt=50,
        description="Nothing is stored while less of ClickHouse's disk than this is free; 0 disables the check.",
    )
    backup_interval_hours: float | None = Field(
        None,
        gt=0,
        le=24 * 365,
        description="How often you back up the table: `check` then compares it with how long Kafka keeps records, since"
        " what came after a backup has to be read again.",
    )
    connect_attempts: int = Field(
        10,
        ge=1,
        description="Attempts before the log says that ClickHouse is unavailable; the service keeps trying.",
    )

    def as_reader(self) -> Self:
        """The same settings, with the user and the table of queries in place of those of inserts."""
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


class BatchSettings(SettingsGroup):
    """When a batch is full. Environment: BATCH_*."""

    max_rows: int = Field(100_000, ge=1, le=500_000, description="Rows after which a batch is stored.")
    max_bytes: int = Field(
        20 * 1024 * 1024,  # about 80,000 usual rows: with half as many, each costs ClickHouse a third more
        ge=1024,
        le=64 * 1024 * 1024,
        description="Bytes (decoded) after which a batch is stored.",
    )
    max_age_secs: float = Field(1.0, gt=0, le=60, description="Age of the oldest row after which a batch is stored.")

    @property
    def gather_secs(self) -> float:
        """How long Kafka may hold back records to gather more of them; most of it counts as a part of their age."""
        return min(_MOST_GATHER_SECS, self.max_age_secs / 2)


class QuerySettings(SettingsGroup):
    """Limits of queries. Environment: QUERY_*."""

    timeout_secs: float = Field(
        10, ge=0.01, le=600, description="Time limit of a query that does not set `timeout_ms`."
    )
    max_timeout_secs: float = Field(60, ge=0.01, le=600, description="The highest time limit that a query may set.")
    max_concurrent: int = Field(
        4,
        ge=1,
        le=256,
        description="Queries that run at the same time (slots); others wait for a slot, then get a 429.",
    )
    queue_secs: float = Field(1, ge=0, le=60, description="How long a query waits for a slot.")
    max_memory_bytes: int = Field(
        2_000_000_000, ge=50_000_000, description="Memory of ClickHouse that one query may use."
    )
    max_rows: int = Field(0, ge=0, description="Rows that ClickHouse may read for one query; 0 for no limit.")
    max_threads: int = Field(
        0, ge=0, le=1024, description="Threads of ClickHouse that one query may use; 0 leaves that to ClickHouse."
    )
    max_streams: int = Field(8, ge=1, le=1024, description="Live tails and exports at the same time.")
    max_share_percent: float = Field(
        75,  # the explorer sends three queries at a time, and there are four slots
        ge=1,
        le=100,
        description="Share of the slots of queries, and of streams, that one client may hold at a time: a principal, or"
        " an address where there is no authentication; at least one slot. 100 lets one client hold all.",
    )

    def granted_secs(self, requested_ms: int | None) -> float:
        """The time limit of a query that requests `requested_ms`; None if it requests none."""
        return min(self.timeout_secs if requested_ms is None else requested_ms / 1000, self.max_timeout_secs)

    def _conflicts(self) -> Iterator[str]:
        if self.timeout_secs > self.max_timeout_secs:
            yield f"QUERY_TIMEOUT_SECS={self.timeout_secs} is more than QUERY_MAX_TIMEOUT_SECS={self.max_timeout_secs}"


class HttpSettings(SettingsGroup):
    """Where the HTTP server listens. Environment: HTTP_*, and PORT, which Cloud Run sets."""

    host: str = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 or :: for all of them, as the container image does."
    )
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on; PORT takes precedence if it is set.")
    threads: int = Field(24, ge=4, le=256, description="Requests worked on at the same time.")
    max_connections: int = Field(
        4096, ge=0, description="Open connections, idle ones included; further ones are closed at once. 0 for no limit."
    )
    max_connections_per_address: int = Field(
        512,
        ge=0,
        description="The same for each address; 0 for no limit. It does not hold for HTTP_TRUSTED_PROXIES.",
    )
    trusted_proxies: str = Field(
        "",
        description="Proxies whose X-Forwarded-For and X-Forwarded-Proto count: addresses and networks,"
        " comma-separated, such as `10.1.2.3,10.8.0.0/16`. `*` for whoever connects, where nothing but the platform's"
        " own proxy can, as on Cloud Run.",
    )
    allowed_hosts: str = Field(
        "",
        description="Names under which clients reach the service, comma-separated, such as `logs.example.org` or "
        "`*.example.org`; `*` for any name. localhost and IP addresses are always allowed.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on the same machine can connect."""
        return is_loopback(self.host)


class LogSettings(SettingsGroup):
    """The service's own log. Environment: LOG_*."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest severity that is logged.")
    format: Literal["auto", "text", "json"] = Field(
        "auto",
        description="Lines of text or of JSON; auto is JSON on Cloud Run and text elsewhere.",
    )


class MetricsSettings(SettingsGroup):
    """A listener for probes and metrics alone. Environment: METRICS_*."""

    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port, on HTTP_HOST, that serves `/live`, `/ready`, `/health` and `/metrics` alone, whatever the"
        " other one suffers; that one serves them too. Unset: there is no such port.",
    )


_SHARES: Final = {"off": 0.0, "refused": 0.0, "all": 1.0}


class AccessSettings(SettingsGroup):
    """The log of access, which is part of the service's own log. Environment: ACCESS_*."""

    log: str = Field(
        "all",
        description="Which requests are logged, with who sent them and how they ended: `all`; `refused`, which are"
        " those that failed; `off`; or those that failed and a random share of the others, such as `0.1`.",
    )

    @field_validator("log")
    @classmethod
    def _is_known(cls, text: str) -> str:
        if text not in _SHARES and not 0 < _number(text) <= 1:
            raise ValueError("must be all, refused, off, or a share of more than 0 and at most 1, such as 0.1")
        return text

    @property
    def share(self) -> float:
        """The share of requests without an error that is logged."""
        return _SHARES[self.log] if self.log in _SHARES else _number(self.log)


class AuditSettings(SettingsGroup):
    """The audit beside the running service. Environment: AUDIT_*."""

    interval_secs: float = Field(
        300,
        ge=0,
        le=86_400,
        description="Time between audits, which compare recently consumed records with stored rows; 0 for none.",
    )


class Settings(SettingsGroup):
    """All settings, immutable. `environment.read_settings` reads them."""

    service: ServiceSettings = ServiceSettings()
    kafka: KafkaSettings = KafkaSettings()
    receive: ReceiveSettings = ReceiveSettings()
    syslog: SyslogSettings = SyslogSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    batch: BatchSettings = BatchSettings()
    query: QuerySettings = QuerySettings()
    http: HttpSettings = HttpSettings()
    auth: AuthSettings = AuthSettings()
    log: LogSettings = LogSettings()
    access: AccessSettings = AccessSettings()
    metrics: MetricsSettings = MetricsSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    scaling: ScalingSettings = ScalingSettings()
    on_cloud_run: bool = False


def _number(text: str) -> float:
    """The number, or 0 if there is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _is_address(text: str) -> bool:
    """Whether the text is host:port, with an IPv6 host in brackets."""
    try:
        parts = urlsplit(f"//{text}")
        return bool(parts.hostname and parts.port) and text == parts.netloc and "@" not in text
    except ValueError:
        return False

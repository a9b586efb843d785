"""Settings: read once, validated together, secrets hidden."""

import re
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app.environment import misspelt, read_settings, setting_names
from app.errors import BadSettings
from app.settings import Settings

SECRET = "geheim-1234"


def problems_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read_settings(environ)
    return caught.value.problems


def problem_of(environ: dict[str, str]) -> str:
    [problem] = problems_of(environ)
    return problem


SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN"}
SASL_USER = {**SASL, "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": SECRET}


def test_nothing_needs_to_be_set() -> None:
    assert read_settings({}) == Settings()


def test_values_are_read_from_their_names() -> None:
    settings = read_settings(
        {
            "KAFKA_TOPIC": "app.logging_setup",
            "KAFKA_TOPIC_PARTITIONS": "12",
            "CLICKHOUSE_URL": "https://click.example:8443/",
            "CLICKHOUSE_TLS_VERIFY": "false",
            "BATCH_MAX_AGE_SECS": "0.25",
            "LOG_LEVEL": "debug",
        }
    )

    assert (settings.kafka.topic, settings.kafka.topic_partitions) == ("app.logging_setup", 12)
    assert (settings.clickhouse.url, settings.clickhouse.tls_verify) == ("https://click.example:8443", False)
    assert (settings.batch.max_age_secs, settings.log.level) == (0.25, "debug")


@pytest.mark.parametrize("name", setting_names())
def test_an_empty_value_is_the_same_as_none(name: str) -> None:
    assert read_settings({name: ""}) == read_settings({})


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = read_settings({})

    with pytest.raises(ValidationError, match="frozen"):
        settings.kafka.topic = "other"  # type: ignore[misc]


def test_as_a_reader_user_and_table_are_those_of_queries_where_they_are_set() -> None:
    own = {"CLICKHOUSE_USER": "writer", "CLICKHOUSE_PASSWORD": SECRET, "CLICKHOUSE_TABLE": "t"}
    reader = {"CLICKHOUSE_READER_USER": "reader", "CLICKHOUSE_READER_TABLE": "t_all"}

    without = read_settings(own).clickhouse.as_reader()
    with_reader = read_settings({**own, **reader}).clickhouse.as_reader()

    assert (without.user, without.password.get_secret_value(), without.table) == ("writer", SECRET, "t")
    assert (with_reader.user, with_reader.password.get_secret_value(), with_reader.table) == ("reader", "", "t_all")


# Proxies


@pytest.mark.parametrize("text", ["10.0.0.7", "10.0.0.0/8, 2001:db8::/32", "*", "*,203.0.113.4"])
def test_proxies_are_addresses_and_networks(text: str) -> None:
    assert read_settings({"HTTP_TRUSTED_PROXIES": text}).http.trusted_proxies == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("proxy.example", "such as 10.0.0.0/8,2001:db8::7, or *: 'proxy.example' does not appear to be an IPv4 or"),
        ("10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("0.0.0.0/0", "0.0.0.0/0 is every address: write * for whoever connects"),
    ],
)
def test_other_proxies_are_refused(text: str, reason: str) -> None:
    problem = problem_of({"HTTP_TRUSTED_PROXIES": text})

    assert problem.startswith(f"HTTP_TRUSTED_PROXIES is {text!r}: ")
    assert reason in problem


# Roles


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("", ("ingest", "query", "receive")),
        ("ingest", ("ingest",)),
        ("query", ("query",)),
        ("receive, query, ingest", ("ingest", "query", "receive")),
        ("receive", ("receive",)),
        ("query,query", ("query",)),
    ],
)
def test_roles_are_a_comma_separated_list_and_all_of_them_by_default(text: str, roles: tuple[str, ...]) -> None:
    assert read_settings({"ROLES": text}).service.roles == roles


@pytest.mark.parametrize("text", ["send", "ingest,other", "ingest,", ",", "INGEST"])
def test_a_role_that_is_not_known_stops_the_start(text: str) -> None:
    assert problem_of({"ROLES": text}) == (
        f"ROLES is {text!r}: must be one or more of ingest, query, receive, comma-separated"
    )


# Problems


def test_all_problems_are_reported_at_once() -> None:
    problems = problems_of(
        {
            "KAFKA_TOPIC": "no spaces",
            "KAFKA_TOPIC_PARTITIONS": "0",
            "KAFKA_START_FROM": "middle",
            "CLICKHOUSE_URL": "tcp://host:9000",
            "CLICKHOUSE_PASSWORD_FILE": "/nowhere/secret",
            "BATCH_MAX_ROWS": "many",
            "HTTP_PORT": "70000",
            "LOG_FORMAT": "xml",
        }
    )

    assert sorted(re.split(r"[ =]", problem)[0] for problem in problems) == [
        "BATCH_MAX_ROWS",
        "CLICKHOUSE_PASSWORD_FILE",
        "CLICKHOUSE_URL",
        "HTTP_PORT",
        "KAFKA_START_FROM",
        "KAFKA_TOPIC",
        "KAFKA_TOPIC_PARTITIONS",
        "LOG_FORMAT",
    ]


def test_a_problem_names_the_value_and_the_allowed_values() -> None:
    assert problem_of({"KAFKA_START_FROM": "middle"}) == (
        "KAFKA_START_FROM is 'middle': input should be 'earliest' or 'latest'"
    )
    assert problem_of({"HTTP_PORT": "70000"}) == "HTTP_PORT is '70000': input should be less than or equal to 65535"


def test_the_zone_of_times_without_one_is_a_name_of_the_tz_database() -> None:
    assert read_settings({"DEFAULT_TIMEZONE": "Europe/Berlin"}).service.default_timezone == "Europe/Berlin"
    assert problem_of({"DEFAULT_TIMEZONE": "+09:00"}) == (
        "DEFAULT_TIMEZONE is '+09:00': must be a name of the tz database, such as UTC or Europe/Berlin"
    )


def test_zones_of_hosts_and_services_are_checked_at_the_start() -> None:
    assert read_settings({"TIMEZONES": "host:a=UTC"}).service.timezones == "host:a=UTC"
    assert problem_of({"TIMEZONES": "host:tokyo-*=Asia/Tokio"}) == (
        "TIMEZONES is 'host:tokyo-*=Asia/Tokio': must be like host:tokyo-*=Asia/Tokyo,"
        " service:billing=America/New_York; 'Asia/Tokio' is no name of the tz database"
    )


def test_headers_to_keep_are_named() -> None:
    assert read_settings({"KEEP_HEADERS": "request-id,tenant-*"}).service.keep_headers == "request-id,tenant-*"
    assert problem_of({"KEEP_HEADERS": "a b"}) == (
        "KEEP_HEADERS is 'a b': must be names, comma-separated, such as request-id,tenant-*; 'a b' is none"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KAFKA_TOPIC", "logs\n"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9092,,b:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9092,"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:0"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:70000"),
        ("KAFKA_BOOTSTRAP_SERVERS", "http://a:9092"),
        ("KAFKA_MAX_POLL_INTERVAL_SECS", "inf"),
        ("KAFKA_SESSION_TIMEOUT_SECS", "15s"),
        ("BATCH_MAX_AGE_SECS", "nan"),
        ("BATCH_MAX_AGE_SECS", "0"),
        ("BATCH_MAX_ROWS", "1e5"),
        ("CLICKHOUSE_URL", "host:8123"),
        ("CLICKHOUSE_URL", "http://"),
        ("CLICKHOUSE_URL", "http://host:99999"),
        ("CLICKHOUSE_URL", "http://host:port"),
        ("CLICKHOUSE_URL", "http://host:0"),
        ("CLICKHOUSE_URL", "http://host:8123/proxied"),
        ("CLICKHOUSE_URL", "http://host:8123/?database=x"),
        ("CLICKHOUSE_URL", "http://[::1"),
        ("CLICKHOUSE_DATABASE", "a`b"),
        ("CLICKHOUSE_TABLE", "logs; DROP"),
        ("CLICKHOUSE_READER_TABLE", "other.logs"),
        ("CLICKHOUSE_TLS_VERIFY", "maybe"),
        ("CLICKHOUSE_CA_FILE", "/nowhere/ca.pem"),
        ("KAFKA_SSL_CA_FILE", "/nowhere/ca.pem"),
        ("CLICKHOUSE_RETENTION_DAYS", "2"),
    ],
)
def test_a_value_that_would_fail_later_stops_the_start(name: str, text: str) -> None:
    problem = problem_of({name: text})

    assert problem.startswith(f"{name} is {text!r}: ")


@pytest.mark.parametrize("servers", ["a:9092", "a:9092, b.example:19092", "10.0.0.1:9092", "[::1]:9092,[fe80::1]:1"])
def test_usual_addresses_of_brokers_are_fine(servers: str) -> None:
    assert read_settings({"KAFKA_BOOTSTRAP_SERVERS": servers}).kafka.bootstrap_servers == servers


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_MECHANISM is needed"),
        ({**SASL_USER, "KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_SASL_MECHANISM=PLAIN needs KAFKA_SECURITY_PROTOCOL="),
        (SASL, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed with PLAIN"),
        ({**SASL, "KAFKA_SASL_USERNAME": "u"}, "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are needed with PLAIN"),
        ({**SASL_USER, "KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "KAFKA_SASL_OAUTH_TOKEN_FILE is needed"),
        ({"KAFKA_SSL_CERT_FILE": __file__}, "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE are needed together"),
        ({"KAFKA_SSL_KEY_FILE": __file__}, "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE are needed together"),
        (
            {"KAFKA_SESSION_TIMEOUT_SECS": "60", "KAFKA_MAX_POLL_INTERVAL_SECS": "60"},
            "KAFKA_MAX_POLL_INTERVAL_SECS must be longer than KAFKA_SESSION_TIMEOUT_SECS",
        ),
    ],
)
def test_settings_that_do_not_fit_together_stop_the_start(environ: dict[str, str], words: str) -> None:
    assert problem_of(environ).startswith(words)


def test_all_conflicting_settings_are_reported_at_once() -> None:
    environ = {
        "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "KAFKA_SSL_CERT_FILE": __file__,
        "KAFKA_SESSION_TIMEOUT_SECS": "60",
        "KAFKA_MAX_POLL_INTERVAL_SECS": "59",
    }

    assert len(problems_of(environ)) == 4


@pytest.mark.parametrize(
    "environ",
    [
        SASL_USER,
        {**SASL_USER, "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
        {**SASL, "KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTH_TOKEN_FILE": __file__},
        {**SASL, "KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_OAUTH_PROVIDER": "google"},
        {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERT_FILE": __file__, "KAFKA_SSL_KEY_FILE": __file__},
    ],
)
def test_settings_that_fit_together_are_fine(environ: dict[str, str]) -> None:
    assert read_settings(environ).kafka.security_protocol == environ["KAFKA_SECURITY_PROTOCOL"]


# Secrets


def test_secrets_are_read_and_never_shown() -> None:
    environ = {**SASL_USER, "CLICKHOUSE_PASSWORD": SECRET, "KAFKA_SSL_KEY_PASSWORD": SECRET}

    settings = read_settings(environ)

    assert settings.clickhouse.password.get_secret_value() == SECRET
    assert settings.kafka.sasl_password == settings.kafka.ssl_key_password == SecretStr(SECRET)
    for shown in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        f"{settings.kafka} {settings.clickhouse!r}",
    ):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "environ",
    [
        {**SASL_USER, "CLICKHOUSE_PASSWORD": SECRET, "KAFKA_TOPIC": "no spaces"},
        {**SASL_USER, "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
        {"CLICKHOUSE_URL": f"http://user:{SECRET}@host:8123"},
        {"CLICKHOUSE_URL": f"http://{SECRET}@host"},
        {"CLICKHOUSE_URL": f"tcp://user:{SECRET}@host:9000"},
        {"CLICKHOUSE_URL": f"http://user:{SECRET}@host:port"},
        {"CLICKHOUSE_URL": f"http://user:{SECRET}@[::1"},
        {"KAFKA_BOOTSTRAP_SERVERS": f"user:{SECRET}@host:9092"},
    ],
)
def test_secrets_are_not_shown_with_a_problem(environ: dict[str, str]) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(environ)

    assert caught.value.problems
    assert SECRET not in repr(caught.value) + str(caught.value) + "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["CLICKHOUSE_PASSWORD", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_KEY_PASSWORD"])
def test_a_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {SECRET} \r\n", encoding="utf-8")

    settings = read_settings({f"{name}_FILE": str(file)})

    group, _, field = name.partition("_")
    assert getattr(getattr(settings, group.lower()), field.lower()) == SecretStr(f" {SECRET} ")


def test_the_end_of_a_line_is_no_part_of_a_secret() -> None:
    settings = read_settings({"CLICKHOUSE_PASSWORD": f" {SECRET} \n", "CLICKHOUSE_READER_PASSWORD": "\n"})

    assert settings.clickhouse.password == SecretStr(f" {SECRET} ")
    assert settings.clickhouse.reader_password == SecretStr("")


def test_the_secret_itself_comes_before_its_file() -> None:
    settings = read_settings({"CLICKHOUSE_PASSWORD": "a", "CLICKHOUSE_PASSWORD_FILE": "/nowhere"})

    assert settings.clickhouse.password.get_secret_value() == "a"


def test_an_empty_file_is_the_same_as_none(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n", encoding="utf-8")

    assert "are needed" in problem_of({**SASL, "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD_FILE": str(file)})


def test_an_unreadable_file_is_reported_by_name(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    assert problem_of({"CLICKHOUSE_PASSWORD_FILE": "/nowhere"}) == (
        "CLICKHOUSE_PASSWORD_FILE=/nowhere: the file cannot be read (No such file or directory)"
    )
    assert "(Is a directory)" in problem_of({"CLICKHOUSE_PASSWORD_FILE": str(tmp_path)})
    assert problem_of({"CLICKHOUSE_PASSWORD_FILE": str(binary)}).endswith(": the file is not UTF-8 text")


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    file = tmp_path / "topic"
    file.write_text("other", encoding="utf-8")

    assert read_settings({"KAFKA_TOPIC_FILE": str(file)}).kafka.topic == "logs"


# Where it runs


def test_the_port_of_cloud_run_comes_before_our_own() -> None:
    assert read_settings({"PORT": "9000", "HTTP_PORT": "9001"}).http.port == 9000
    assert read_settings({"PORT": "", "HTTP_PORT": "9001"}).http.port == 9001


def test_a_problem_names_the_variable_that_holds_it() -> None:
    assert problem_of({"PORT": "http", "HTTP_PORT": "9001"}).startswith("PORT is 'http': ")


@pytest.mark.parametrize("name", ["K_SERVICE", "CLOUD_RUN_WORKER_POOL"])
def test_cloud_run_is_recognised(name: str) -> None:
    assert read_settings({name: "logs"}).on_cloud_run
    assert not read_settings({}).on_cloud_run


FOREIGN = {
    "KAFKA_PORT": "tcp://10.0.0.1:9092",
    "KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
    "KAFKA_SERVICE_HOST": "10.0.0.1",
    "CLICKHOUSE_PORT": "tcp://10.0.0.1:8123",
    "CLICKHOUSE_SERVICE_PORT": "8123",
    "HTTP_PROXY": "http://proxy:3128",
    "http_proxy": "http://proxy:3128",
    "HTTPS_PROXY": "http://proxy:3128",
    "PATH": "/bin",
    "HOSTNAME": "pod-1",
}


def test_variables_of_others_neither_stop_the_start_nor_warn() -> None:
    assert read_settings(FOREIGN) == Settings()
    assert misspelt(FOREIGN) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
        ("KAFAK_TOPIC", "KAFKA_TOPIC"),
        ("kafka_topic", "KAFKA_TOPIC"),
        ("BATCH_MAX_ROW", "BATCH_MAX_ROWS"),
        ("CLICKHOSE_URL", "CLICKHOUSE_URL"),
        ("CLICKHOUSE_PASSWORD_FIL", "CLICKHOUSE_PASSWORD_FILE"),
        ("LOG_LEVL", "LOG_LEVEL"),
    ],
)
def test_a_misspelt_variable_is_reported(name: str, meant: str) -> None:
    assert misspelt({name: "x"}) == [f"{name} is not a setting and has no effect; was {meant} meant?"]


def test_settings_and_files_of_secrets_are_no_near_misses() -> None:
    secrets = ["CLICKHOUSE_PASSWORD_FILE", "KAFKA_SASL_PASSWORD_FILE", "KAFKA_SSL_KEY_PASSWORD_FILE"]

    assert misspelt(dict.fromkeys([*setting_names(), *secrets], "x")) == []


# Descriptions of settings


@pytest.mark.parametrize(("name", "field"), setting_names().items())
def test_every_setting_has_a_description(name: str, field: object) -> None:
    description = getattr(field, "description", None)

    assert description, f"{name} has no description"
    assert description[0].isupper()
    assert description.endswith(".")


COUNTS = (
    *("_PARTITIONS", "_FACTOR", "_ATTEMPTS", "_ROWS", "_PORT", "_THREADS", "_CONCURRENT", "_STREAMS", "_CONNECTIONS"),
    *("_PER_ADDRESS", "_ATTRIBUTES", "_CHARS", "_DEPTH"),
)
UNITS = ("_SECS", "_HOURS", "_DAYS", "_BYTES", "_PERCENT", "_PER_SEC")


@pytest.mark.parametrize("name", [name for name, field in setting_names().items() if field.annotation in (int, float)])
def test_every_number_has_its_unit_in_its_name(name: str) -> None:
    assert name.endswith(COUNTS + UNITS)


LINE = "grafana read sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("environ", "is_needed"),
    [
        ({}, False),
        ({"AUTH_MODE": "none"}, False),
        ({"AUTH_TOKENS": LINE}, True),
        ({"AUTH_TOKENS_FILE": __file__}, True),
        ({"AUTH_MODE": "token", "AUTH_TOKENS": LINE}, True),
    ],
)
def test_a_token_is_needed_where_there_are_tokens(environ: dict[str, str], is_needed: bool) -> None:
    assert read_settings(environ).auth.needs_token == is_needed


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"AUTH_MODE": "token"}, "AUTH_MODE=token needs AUTH_TOKENS_FILE or AUTH_TOKENS"),
        ({"AUTH_MODE": "none", "AUTH_TOKENS": LINE}, "AUTH_MODE=none would ignore AUTH_TOKENS"),
        ({"AUTH_TOKENS": LINE, "AUTH_TOKENS_FILE": __file__}, "set one of them"),
        ({"AUTH_TOKENS_FILE": "/no/such/file"}, "AUTH_TOKENS_FILE is '/no/such/file'"),
        ({"AUTH_MODE": "off"}, "AUTH_MODE is 'off': input should be 'token', 'oidc' or 'none'"),
    ],
)
def test_settings_of_access_that_contradict_each_other_are_refused(environ: dict[str, str], sentence: str) -> None:
    problem = problem_of(environ)

    assert sentence in problem
    assert "ab" * 32 not in problem


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "10.0.0.5", "logs.example.org", "127.0.0.1.example.org")],  # noqa: S104
)
def test_only_loopback_addresses_are_out_of_reach_of_others(host: str, is_loopback: bool) -> None:
    assert read_settings({"HTTP_HOST": host}).http.is_loopback == is_loopback


OIDC = {
    "AUTH_MODE": "oidc",
    "AUTH_OIDC_ISSUER": "https://issuer.example",
    "AUTH_OIDC_AUDIENCES": "logs",
    "AUTH_OIDC_RIGHTS": "@example.org read",
}


def test_the_redirect_uri_is_made_of_the_public_address() -> None:
    for url in ("https://Logs.example.org/", "https://logs.example.org:443", "https://logs.example.org"):
        auth = read_settings({**OIDC, "AUTH_OIDC_CLIENT_ID": "logs", "AUTH_PUBLIC_URL": url}).auth
        assert auth.redirect_uri == "https://logs.example.org/login/oidc/callback"


def test_oidc_needs_credentials_of_everybody() -> None:
    assert read_settings(OIDC).auth.needs_token


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"AUTH_MODE": "token"}, "would have no effect: set AUTH_MODE=oidc"),
        ({"AUTH_MODE": ""}, "would have no effect: set AUTH_MODE=oidc"),
        ({"AUTH_OIDC_ISSUER": "", "AUTH_OIDC_AUDIENCES": ""}, "AUTH_MODE=oidc needs AUTH_OIDC_ISSUER, and"),
        ({"AUTH_OIDC_AUDIENCES": ""}, "AUTH_OIDC_ISSUER is needed together with AUTH_OIDC_AUDIENCES,"),
        ({"AUTH_OIDC_AUDIENCES": " , "}, "AUTH_OIDC_ISSUER is needed together with AUTH_OIDC_AUDIENCES,"),
        ({"AUTH_OIDC_CLIENT_ID": "logs"}, "AUTH_OIDC_CLIENT_ID and AUTH_PUBLIC_URL are needed"),
        (
            {"AUTH_PUBLIC_URL": "https://logs.example.org"},
            "AUTH_OIDC_CLIENT_ID and AUTH_PUBLIC_URL are needed",
        ),
        ({"AUTH_PUBLIC_URL": "http://logs.example.org"}, "AUTH_PUBLIC_URL is 'http://logs.example.org': must be like"),
        ({"AUTH_PUBLIC_URL": "https://logs.example.org/logs"}, "must be like https://logs.example.org, without a path"),
        ({"AUTH_PUBLIC_URL": "https://a:b@logs.example.org"}, "must be like https://logs.example.org, without a path"),
        ({"AUTH_OIDC_CLIENT_SECRET": "hush"}, "AUTH_OIDC_CLIENT_SECRET needs AUTH_OIDC_CLIENT_ID"),
        ({"AUTH_OIDC_SCOPES": "email"}, "AUTH_OIDC_SCOPES is 'email': must have openid among the scopes"),
        ({"AUTH_OIDC_RIGHTS": ""}, "AUTH_MODE=oidc needs AUTH_OIDC_RIGHTS"),
        ({"AUTH_OIDC_ISSUER": "http://issuer.example"}, "must be like https://accounts.google.com"),
        ({"AUTH_OIDC_ISSUER": "issuer.example"}, "must be like https://accounts.google.com"),
        ({"AUTH_SESSION_KEY": "short"}, "AUTH_SESSION_KEY is (hidden): must have at least 32 characters"),
    ],
    ids=str,
)
def test_settings_of_oidc_that_do_not_fit_are_named(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({**OIDC, **changes})

    assert any(problem in sentence for sentence in caught.value.problems)


def test_rules_of_retention_are_like_the_example_and_no_longer_than_that_of_the_table() -> None:
    [rule] = read_settings({"RETENTION_DAYS_BY_SERVICE": "payments:30"}).retention.rules.rules
    assert (rule.pattern, rule.days) == ("payments", 30)
    assert problem_of({"RETENTION_DAYS_BY_SERVICE": "debug-*"}).startswith(
        "RETENTION_DAYS_BY_SERVICE is 'debug-*': must be like debug-*:3"
    )
    assert problem_of({"RETENTION_DAYS_BY_SERVICE": "debug-*:3,payments:90"}) == (
        "RETENTION_DAYS_BY_SERVICE has 'payments:90': nothing is kept for longer than CLICKHOUSE_RETENTION_DAYS=30;"
        " raise that, and give others shorter rules"
    )

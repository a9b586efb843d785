"""The compose files, as the real Compose reads them, and the files that they mount."""

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from app.environment import read_settings, setting_names
from app.preflight.access_checks import refusal
from app.settings import KafkaSettings
from grafana.source.targets import PLUGIN_VERSION
from local.paths import ROOT
from tests.support.compose import KRAFT, ZOOKEEPER, services
from tests.support.programs import find_program, run, run_program

ENDS_BY_ITSELF = {"kafka-init"}
OURS = {"app", "ingest", "samples"}  # their image brings a health check, or none on purpose
BUILT = {*OURS, "grafana"}
LIMIT_OF_ALL = 3_700_000_000  # bytes; deploy/check-docker wants as much

each_stack = pytest.mark.parametrize("files", [KRAFT, ZOOKEEPER], ids=["kraft", "zookeeper"])


def clickhouse_xml(name: str) -> ElementTree.Element:
    """A settings file of ClickHouse."""
    return ElementTree.parse(ROOT / f"deploy/clickhouse/{name}.xml").getroot()  # noqa: S314 - our own file


@each_stack
def test_compose_accepts_it_and_its_schema_too(files: tuple[str, ...], tmp_path: Path) -> None:
    merged = tmp_path / "merged.json"
    merged.write_text(json.dumps({"services": services(files)}))
    run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(merged)])


@each_stack
def test_images_are_pinned_to_a_release(files: tuple[str, ...]) -> None:
    foreign = {name: service["image"] for name, service in services(files).items() if name not in BUILT}
    assert {name: image for name, image in foreign.items() if not re.search(r":v?\d+\.\d+\.\d+", image)} == {}


@each_stack
def test_ports_are_open_to_this_machine_only(files: tuple[str, ...]) -> None:
    ports = [port for service in services(files).values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_ports_are_variables_and_kafka_names_its_own() -> None:
    names = ("APP", "KAFKA", "CLICKHOUSE", "CLICKHOUSE_NATIVE", "PROMETHEUS", "GRAFANA")
    chosen = services(KRAFT, **{f"{name}_PORT": str(7000 + n) for n, name in enumerate(names)})

    published = {port["published"] for service in chosen.values() for port in service.get("ports", [])}

    assert published == {str(7000 + n) for n in range(len(names))}
    for files in (KRAFT, ZOOKEEPER):
        kafka = services(files, KAFKA_PORT="7001", KAFKA_EXTERNAL_HOST="laptop")["kafka"]
        assert kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].endswith(",EXTERNAL://laptop:7001")


def test_more_instances_store_logs_and_need_no_port() -> None:
    assert services(KRAFT)["ingest"]["scale"] == 0
    assert services(KRAFT, INGEST_INSTANCES="2")["ingest"]["scale"] == 2
    app, ingest = (services(KRAFT)[name] for name in ("app", "ingest"))
    assert ingest["environment"] == app["environment"] | {"ROLES": "ingest"}
    assert {name for name in {*app, *ingest} if app.get(name) != ingest.get(name)} == {"environment", "ports", "scale"}
    assert not ingest.get("ports")


def test_instances_that_answer_too_share_a_range_of_ports() -> None:
    app = services(KRAFT, APP_PORT="8080-8089")["app"]

    assert [port["published"] for port in app["ports"]] == ["8080-8089"]


def test_sample_logs_are_sent_unless_that_is_turned_off() -> None:
    assert services(KRAFT)["samples"].get("scale", 1) == 1
    assert "profiles" not in services(KRAFT)["samples"]
    assert services(KRAFT, SAMPLES="0")["samples"]["scale"] == 0


@each_stack
def test_images_that_no_registry_has_are_built_and_not_pulled(files: tuple[str, ...]) -> None:
    built = {name: service.get("pull_policy") for name, service in services(files).items() if "build" in service}
    assert built == dict.fromkeys(BUILT, "never")


@each_stack
def test_every_service_has_a_health_check(files: tuple[str, ...]) -> None:
    without = {name for name, service in services(files).items() if "test" not in service.get("healthcheck", {})}
    assert without - OURS == ENDS_BY_ITSELF


@each_stack
def test_nothing_can_take_all_the_memory_or_fill_the_disk_with_its_output(files: tuple[str, ...]) -> None:
    assert [name for name, service in services(files).items() if "mem_limit" not in service] == []
    unlimited = {name for name, service in services(files).items() if "max-size" not in json.dumps(service)}
    assert unlimited == ENDS_BY_ITSELF


def test_a_machine_of_4_gb_has_memory_for_all_containers() -> None:
    limits = {
        name: int(service["mem_limit"]) * service.get("scale", 1)
        for name, service in services(KRAFT).items()
        if name not in ENDS_BY_ITSELF
    }
    assert sum(limits.values()) <= LIMIT_OF_ALL

    with_zookeeper = [int(service["mem_limit"]) for name, service in services(ZOOKEEPER).items() if name not in limits]
    assert sum(with_zookeeper) <= 512 * 2**20


@each_stack
def test_mounted_files_are_in_the_repository(files: tuple[str, ...]) -> None:
    mounts = [mount for service in services(files).values() for mount in service.get("volumes", [])]
    sources = [Path(mount["source"]) for mount in mounts if mount["type"] == "bind"]
    assert len(sources) > 5
    assert [source for source in sources if not source.exists()] == []


@each_stack
def test_persistent_data_is_on_a_volume(files: tuple[str, ...]) -> None:
    kept = {
        name: [mount["target"] for mount in service.get("volumes", []) if mount["type"] == "volume"]
        for name, service in services(files).items()
    }
    assert kept["kafka"] == ["/var/lib/kafka/data"]
    assert kept["clickhouse"] == ["/var/lib/clickhouse"]
    assert kept["prometheus"] == ["/prometheus"]
    assert kept["grafana"] == ["/var/lib/grafana"]


@each_stack
@pytest.mark.parametrize("name", sorted(OURS))
def test_our_settings_exist_and_are_accepted(files: tuple[str, ...], name: str) -> None:
    environment = services(files)[name]["environment"]
    assert set(environment) <= {*setting_names(), "PORT"}
    read_settings(environment)


@each_stack
def test_no_container_can_gain_privileges(files: tuple[str, ...]) -> None:
    options = {name: service.get("security_opt") for name, service in services(files).items()}
    assert {name: given for name, given in options.items() if given != ["no-new-privileges:true"]} == {}


@each_stack
def test_no_container_has_capabilities_but_the_one_that_starts_as_root(files: tuple[str, ...]) -> None:
    assert {name for name, service in services(files).items() if service.get("cap_drop") != ["ALL"]} == {"clickhouse"}


@each_stack
def test_containers_that_write_to_their_volumes_alone_have_a_read_only_root(files: tuple[str, ...]) -> None:
    assert {name for name, service in services(files).items() if service.get("read_only")} == {*OURS, "prometheus"}


@each_stack
def test_the_service_starts_on_all_addresses_of_its_container_because_it_is_said_who_may_read(
    files: tuple[str, ...],
) -> None:
    settings = read_settings({"HTTP_HOST": "0.0.0.0", **services(files)["app"]["environment"]})  # noqa: S104

    assert refusal(settings) is None


@each_stack
def test_the_topic_is_made_as_the_service_would_make_it(files: tuple[str, ...]) -> None:
    _, *options = services(files)["kafka-init"]["entrypoint"]
    kafka = KafkaSettings()
    assert f"--topic={kafka.topic}" in options
    assert f"--partitions={kafka.topic_partitions}" in options
    assert f"--config=retention.ms={kafka.topic_retention_hours * 3_600_000}" in options
    assert "--config=message.timestamp.type=LogAppendTime" in options


def test_both_stacks_differ_in_kafka_only() -> None:
    kraft, zookeeper = services(KRAFT), services(ZOOKEEPER)
    assert set(zookeeper) - set(kraft) == {"zookeeper"}
    assert {name for name in kraft if kraft[name] != zookeeper[name]} == {"kafka", "kafka-init"}


def test_nothing_of_kraft_is_left_with_zookeeper() -> None:
    environment = services(ZOOKEEPER)["kafka"]["environment"]
    assert "KAFKA_ZOOKEEPER_CONNECT" in environment
    assert not re.search("controller|CLUSTER_ID|PROCESS_ROLES|NODE_ID|SHARE_", json.dumps(environment), re.IGNORECASE)
    [kraft_data], [zookeeper_data] = (services(files)["kafka"]["volumes"] for files in (KRAFT, ZOOKEEPER))
    assert kraft_data["source"] != zookeeper_data["source"]


def test_grafana_signs_in_to_clickhouse_as_a_user_who_can_only_read() -> None:
    settings = clickhouse_xml("grafana")
    provisioned = yaml.safe_load((ROOT / "grafana/provisioning/datasources/datasources.yaml").read_text())
    [source] = [source for source in provisioned["datasources"] if source["uid"] == "clickhouse"]
    user = settings.find(f"users/{source['jsonData']['username']}")
    assert user is not None
    assert settings.findtext(f"profiles/{user.findtext('profile')}/readonly") == "1"
    assert [grant.text for grant in user.iterfind("grants/query")] == ["GRANT SELECT ON logs.*"]


def test_grafana_and_clickhouse_are_given_the_same_password() -> None:
    user = clickhouse_xml("grafana").find("users/grafana/password")
    assert user is not None
    name = user.attrib["from_env"]
    assert f"password: ${name}" in (ROOT / "grafana/provisioning/datasources/datasources.yaml").read_text()
    grafana, clickhouse = (services(KRAFT)[service]["environment"][name] for service in ("grafana", "clickhouse"))
    assert grafana == clickhouse != ""


def test_the_home_dashboard_of_grafana_is_one_of_ours() -> None:
    path = services(KRAFT)["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    [mount] = [mount for mount in services(KRAFT)["grafana"]["volumes"] if path.startswith(mount["target"] + "/")]
    assert Path(mount["source"], Path(path).name).exists()


def test_prometheus_scrapes_services_of_the_stack_at_their_ports() -> None:
    jobs = yaml.safe_load((ROOT / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in jobs for group in job.get("static_configs", []) for target in group["targets"]}
    clickhouse_port = clickhouse_xml("server").findtext("prometheus/port")
    assert targets == {f"clickhouse:{clickhouse_port}", "localhost:9090"}


def test_prometheus_finds_every_instance_of_the_service_by_dns() -> None:
    jobs = yaml.safe_load((ROOT / "prometheus.yml").read_text())["scrape_configs"]
    [found] = [lookup for job in jobs if job["job_name"] == "log-ingest" for lookup in job["dns_sd_configs"]]
    assert (found["type"], found["port"]) == ("A", services(KRAFT)["app"]["ports"][0]["target"])
    reachable = {name for name, service in services(KRAFT).items() if found["names"] == aliases_of(service)}
    assert reachable == {"app", "ingest"}


def aliases_of(service: dict[str, Any]) -> list[str]:
    """The names of a service in the network besides its own."""
    return list((service["networks"]["default"] or {}).get("aliases", ()))


def test_own_tables_of_clickhouse_do_not_grow_forever() -> None:
    logs = [element for element in clickhouse_xml("server") if element.tag.endswith("_log")]
    assert len(logs) > 15
    assert [log.tag for log in logs if "remove" not in log.attrib and not log.findtext("ttl")] == []


def test_grafana_brings_the_plugin_of_its_dashboards() -> None:
    dockerfile = (ROOT / "grafana/Dockerfile").read_text()
    assert re.search(r"^ARG GRAFANA_IMAGE=\S+/grafana:\d+\.\d+\.\d+$", dockerfile, re.MULTILINE)
    [version] = re.findall(r"plugins install grafana-clickhouse-datasource (\S+)$", dockerfile, re.MULTILINE)
    assert version == PLUGIN_VERSION
    [folder] = re.findall(r"^ENV GF_PATHS_PLUGINS=(\S+)$", dockerfile, re.MULTILINE)
    volumes = [mount["target"] for mount in services(KRAFT)["grafana"]["volumes"]]
    assert [volume for volume in volumes if folder.startswith(volume)] == []
    assert services(KRAFT)["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


@pytest.mark.skipif(find_program("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_accepts_its_configuration() -> None:
    assert "SUCCESS" in run_program("promtool", "check", "config", ROOT / "prometheus.yml")


def test_prometheus_finds_its_rules_in_the_container_as_in_the_repository() -> None:
    config = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    mounts = {mount["target"]: mount["source"] for mount in services(KRAFT)["prometheus"]["volumes"]}
    for pattern in config["rule_files"]:
        folder, name = f"/etc/prometheus/{Path(pattern).parent}", Path(pattern).name
        assert list(Path(mounts[folder]).glob(name)) == list(ROOT.glob(pattern)) != []


def test_yaml_is_tidy() -> None:
    files = ["docker-compose.yml", "docker-compose.zookeeper.yml", "prometheus.yml", "prometheus", "grafana"]
    # Templates of Helm are YAML only when it has rendered them.
    files += [str(path) for path in (ROOT / "deploy").rglob("*.y*ml") if "templates" not in path.parts]
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 130}}}"
    run_program("yamllint", "--strict", "-d", rules, *(ROOT / name for name in files))

"""What deploy/gcp does on the machine: memory, certificates, setting up, and Compose with the machine's file."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from app.environment import read_settings
from local.paths import ROOT
from tests.support.compose import KRAFT, services
from tests.support.programs import run, run_program

VM = (*KRAFT, "deploy/gcp/docker-compose.vm.yml")
MACHINE = ROOT / "deploy/gcp/machine"
GIVEN = {
    "VM_ADDRESS": "10.80.0.2",
    "BACKUP_BUCKET": "my-backups",
    "KAFKA_PASSWORD": "kafka-secret",
    "CLICKHOUSE_PASSWORD": "clickhouse-secret",
    "CLICKHOUSE_READER_PASSWORD": "reader-secret",
    "GRAFANA_CLICKHOUSE_PASSWORD": "grafana-secret",
    "GRAFANA_ADMIN_PASSWORD": "admin-secret",
}
# Those that setup.sh makes of them.
MADE = {"KAFKA_EXTERNAL_HOST": "10.80.0.2"}
RUNNING = {"kafka", "clickhouse", "grafana"}
STAND_IN = """#!/bin/sh
{ printf '%s' "${0##*/}"; for word; do printf ' %s' "$word"; done; echo; } >> "$CALLS"
case "${0##*/} $*" in
"docker version"*) echo "${ENGINE:-28.0.4}" ;;
"docker compose version"*) echo 2.40.3 ;;
"docker info"*) echo 4100000000 ;;
"docker compose ps --quiet"*) printf %s "$RUNNING" ;;
blkid*) [ -e "$FORMATTED" ] ;;
mkfs*) touch "$FORMATTED" ;;
mountpoint*) [ -e "$MOUNTED" ] ;;
mount*) touch "$MOUNTED" ;;
*"SELECT sum(bytes_on_disk)"*) echo "${TABLE_BYTES:-1000}" ;;
*"EXISTS TABLE"*) echo "${REMOVED:-0}" ;;
*"BACKUP TABLE"*) touch "$VM_DATA/clickhouse/backups/$(echo "$*" | sed "s/.*'backups', '//; s/'.*//")" ;;
"docker compose exec -T app python -m app send"*) cat > "$SENT" ;;
"docker compose exec -T app python -m app query"*) [ -z "$ARRIVES" ] || cat "$SENT" ;;
"docker compose logs"*) echo "what the service says" ;;
"docker compose restart"*) [ -z "$RESTART" ] ;;
"gcloud storage cp gs:"*) touch "$4" ;;
curl*) for file; do :; done; echo a key > "$file" ;;
esac
"""


def on_vm() -> dict[str, Any]:
    return services(VM, **GIVEN, **MADE)


def memory(total_mb: int) -> dict[str, int]:
    """What memory.sh gives, in MB."""
    lines = run(["bash", str(MACHINE / "memory.sh"), str(total_mb)]).splitlines()
    return {name: int(value.removesuffix("m")) for name, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("total_mb", [3600, 3919, 7960, 15990, 64000])
def test_the_memory_of_any_machine_is_used_and_not_exceeded(total_mb: int) -> None:
    shared = memory(total_mb)
    names = {f"{name}_MEMORY": f"{shared[f'{name}_MEMORY']}m" for name in ("KAFKA", "CLICKHOUSE")}
    found = services(VM, **GIVEN, **MADE, **names)
    limits_mb = sum(int(found[name]["mem_limit"]) for name in RUNNING) / 2**20

    assert 300 <= total_mb - limits_mb <= 700
    assert shared["KAFKA_HEAP"] <= shared["KAFKA_MEMORY"] / 2
    assert shared["CLICKHOUSE_MEMORY"] >= 1400


def test_a_machine_that_is_too_small_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"2000 MB of memory, and at least 3600 .* e2-medium"):
        memory(2000)


def test_without_its_variables_the_file_is_not_used() -> None:
    for name in ("VM_ADDRESS", "KAFKA_PASSWORD", "CLICKHOUSE_PASSWORD"):
        with pytest.raises(AssertionError, match=f"{name} is missing a value: setup.sh writes it"):
            services(VM, **{other: value for other, value in GIVEN.items() if other != name})


def test_only_listeners_with_tls_and_passwords_can_be_reached_from_other_machines() -> None:
    ports = {(name, port["host_ip"], port["target"]) for name in RUNNING for port in on_vm()[name].get("ports", [])}
    kafka = on_vm()["kafka"]["environment"]

    assert ports == {("kafka", "10.80.0.2", 9092), ("clickhouse", "10.80.0.2", 8443), ("grafana", "127.0.0.1", 3000)}
    assert "EXTERNAL:SASL_SSL" in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
    assert kafka["KAFKA_ADVERTISED_LISTENERS"] == "INTERNAL://kafka:19092,EXTERNAL://10.80.0.2:9092"
    https = ElementTree.parse(ROOT / "deploy/gcp/clickhouse/https.xml").getroot()  # noqa: S314 - our own file
    assert https.findtext("https_port") == "8443"
    assert on_vm()["grafana"]["environment"]["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


def test_no_password_has_a_default() -> None:
    environments = [service.get("environment", {}) for service in on_vm().values()]
    values = {value for environment in environments for value in environment.values() if value}

    assert {value for value in values if "local-only" in value} == set()


def test_data_is_on_the_disk() -> None:
    options = ["--file", str(ROOT / VM[0]), "--file", str(ROOT / VM[1]), "config"]
    environment = {"PATH": os.environ["PATH"], "COMPOSE_DISABLE_ENV_FILE": "true", **GIVEN}
    volumes = yaml.safe_load(run_program("docker-compose", *options, environment=environment))["volumes"]

    devices = {name: volume["driver_opts"]["device"] for name, volume in volumes.items() if name != "prometheus"}
    assert devices == {name: f"/mnt/data/{name}" for name in ("kafka", "clickhouse", "grafana")}


def test_only_what_belongs_there_starts_by_itself() -> None:
    assert {name for name, service in on_vm().items() if "profiles" not in service} == RUNNING | {"kafka-init"}


def test_the_smoke_test_uses_the_settings_of_a_service_elsewhere() -> None:
    environment = on_vm()["app"]["environment"]
    files = {name: value for name, value in environment.items() if name.endswith("_FILE")}

    settings = read_settings({name: value for name, value in environment.items() if name not in files})

    assert settings.kafka.bootstrap_servers == "10.80.0.2:9092"
    assert settings.kafka.sasl_mechanism == "SCRAM-SHA-512"
    assert settings.clickhouse.url == "https://10.80.0.2:8443"
    assert set(files.values()) == {"/run/log-analytics/ca.pem"}
    assert "ports" not in on_vm()["app"]


def test_the_user_of_queries_can_change_nothing() -> None:
    root = ElementTree.parse(ROOT / "deploy/gcp/clickhouse/reader.xml").getroot()  # noqa: S314 - our own file
    grants = [grant.text for grant in root.iterfind("users/reader/grants/query")]

    assert grants == ["GRANT SELECT ON logs.*", "GRANT SELECT ON system.processes"]
    assert root.findtext("profiles/reader/readonly") == "2"


def certificates(folder: Path, address: str = "10.80.0.2") -> str:
    said = run(["bash", str(MACHINE / "certificates.sh"), str(folder), address])
    (folder / "unread").unlink(missing_ok=True)
    return said


def test_certificates_are_made_once_and_anew_for_another_address(tmp_path: Path) -> None:
    assert certificates(tmp_path) == "changed\n"
    ca, first = (tmp_path / "ca.pem").read_text(), (tmp_path / "server.pem").read_text()

    assert certificates(tmp_path) == ""
    assert (tmp_path / "server.pem").read_text() == first

    assert certificates(tmp_path, "10.80.0.20") == "changed\n"
    assert certificates(tmp_path, "10.80.0.2") == "changed\n"
    assert (tmp_path / "ca.pem").read_text() == ca


def test_what_containers_need_is_handed_to_them_and_no_more(tmp_path: Path) -> None:
    certificates(tmp_path)

    assert sorted(path.name for path in (tmp_path / "ca").iterdir()) == ["ca.pem"]
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and "PRIVATE KEY" in path.read_text()]
    assert {path.stat().st_mode & 0o077 for path in keys} == {0}
    ssl.create_default_context(cafile=str(tmp_path / "ca/ca.pem"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "kafka/server.pem")
    server.load_cert_chain(tmp_path / "clickhouse/server.pem", tmp_path / "clickhouse/server.key")


class Machine:
    """A new machine: its programs are stand-ins, its folders are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        shutil.copytree(ROOT / "deploy", self.home / "deploy")
        shutil.copytree(ROOT / "grafana/provisioning", self.home / "grafana/provisioning")
        (folder / "etc/apt/sources.list.d").mkdir(parents=True)
        (folder / "etc/fstab").touch()
        (folder / "bin").mkdir()
        programs = "apt-get blkid chown curl docker gcloud mkfs.ext4 mount mountpoint resize2fs sleep systemctl"
        for name in programs.split():
            (folder / "bin" / name).write_text(STAND_IN)
            (folder / "bin" / name).chmod(0o755)

    def set_up(self, given: dict[str, str], **variables: str) -> tuple[int, list[str], str]:
        """Exit code, the calls of programs, and what was said."""
        calls = self.folder / "calls"
        calls.write_text("")
        environ = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "ETC": str(self.folder / "etc"),
            "VM_DATA": str(self.folder / "data"),
            "FORMATTED": str(self.folder / "formatted"),
            "MOUNTED": str(self.folder / "mounted"),
            "RUNNING": "",
            "SENT": str(self.folder / "sent"),
        }
        self._environ = environ
        done = subprocess.run(
            [self.home / "deploy/gcp/machine/setup.sh"],
            env=environ | variables,
            input="".join(f"{name}={value}\n" for name, value in given.items()),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, calls.read_text().splitlines(), done.stderr

    def run(self, script: str, *words: str, **variables: str) -> list[str]:
        """The calls of a script of the machine, which has to succeed."""
        calls = self.folder / "calls"
        calls.write_text("")
        run([str(self.home / "deploy/gcp/machine" / script), *words], environment=self._environ | variables)
        return calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def begin(calls: list[str], words: str) -> list[str]:
    return [call for call in calls if call.startswith(words)]


def test_the_disk_is_formatted_once_and_docker_installed_only_if_it_is_too_old(machine: Machine) -> None:
    code, first, said = machine.set_up(GIVEN, ENGINE="20.10.24")
    assert (code, begin(first, "docker compose up")) == (1, []), said  # what was installed is as old as before
    assert begin(first, "apt-get install -y -qq docker-ce ")

    code, second, said = machine.set_up(GIVEN)
    assert code == 0, said
    code, third, said = machine.set_up(GIVEN, RUNNING="a container")
    assert code == 0, said

    assert (len(begin(second, "mkfs")), len(begin(third, "mkfs"))) == (1, 0)
    assert begin(second + third, "apt-get") == []
    assert (machine.folder / "etc/fstab").read_text().count("/dev/disk/by-id/google-data") == 1
    assert begin(third, "docker compose up --detach --build --wait kafka clickhouse grafana")
    assert begin(second + third, "docker compose restart") == []


def test_the_settings_are_complete_and_no_other_user_can_read_them(machine: Machine) -> None:
    assert machine.set_up(GIVEN)[0] == 0

    env = machine.home / ".env"
    written = dict(line.split("=", 1) for line in env.read_text().splitlines())
    assert env.stat().st_mode & 0o777 == 0o600
    assert written.items() >= (GIVEN | MADE).items()
    assert {"KAFKA_MEMORY", "KAFKA_HEAP", "CLICKHOUSE_MEMORY", "COMPOSE_FILE"} <= written.keys()


def test_containers_can_read_what_was_checked_out_with_a_strict_umask(machine: Machine) -> None:
    file = machine.home / "deploy/clickhouse/server.xml"
    file.chmod(0o600)
    file.parent.chmod(0o700)

    machine.set_up(GIVEN)

    assert file.parent.stat().st_mode & file.stat().st_mode & 0o004
    assert (machine.home / ".env").stat().st_mode & 0o777 == 0o600


def test_a_changed_file_that_compose_mounts_makes_its_container_anew(machine: Machine) -> None:
    def labels() -> set[tuple[str, str]]:
        machine.set_up(GIVEN)
        variables = dict(line.split("=", 1) for line in (machine.home / ".env").read_text().splitlines())
        found = services(VM, **variables)
        return {(name, str(found[name].get("labels"))) for name in RUNNING}

    first = labels()
    (machine.home / "deploy/clickhouse/server.xml").write_text("<clickhouse/>")
    second = labels()
    (machine.home / "grafana/provisioning/new.yaml").touch()
    third = labels()

    assert {name for name, _ in second - first} == {"clickhouse"}
    assert {name for name, _ in third - second} == {"grafana"}


@pytest.mark.parametrize(
    "password", ["a b", "a$b", "$(id)", "`id`", "'a'", 'a"b', "a#b", "a,b", "~a", "[a]", "a=b", "ä"]
)
def test_a_password_that_means_something_to_a_shell_or_to_compose_is_refused(machine: Machine, password: str) -> None:
    code, calls, said = machine.set_up(GIVEN | {"KAFKA_PASSWORD": password})

    assert (code, calls) == (1, [])
    assert "KAFKA_PASSWORD may have letters, digits and" in said
    assert password not in said.replace("letters, digits and", "")


def test_a_new_certificate_is_read_by_what_runs(machine: Machine) -> None:
    machine.set_up(GIVEN)

    _, calls, _ = machine.set_up(GIVEN | {"VM_ADDRESS": "10.80.0.9"}, RUNNING="a container")

    assert begin(calls, "docker compose restart kafka clickhouse")


def test_a_password_that_could_not_be_read_stops_before_anything_is_done(machine: Machine) -> None:
    code, calls, said = machine.set_up(GIVEN | {"KAFKA_PASSWORD": ""})

    assert code == 1
    assert "setup.sh needs KAFKA_PASSWORD" in said
    assert calls == []
    assert not (machine.home / ".env").exists()


def test_a_backup_is_uploaded_under_a_name_of_its_own_and_can_be_restored(machine: Machine) -> None:
    machine.set_up(GIVEN)
    backups = machine.folder / "data/clickhouse/backups"
    backups.mkdir()
    (backups / "logs-2026-11-30T01-00-00Z.zip").touch()  # of a run that was cut off

    calls = machine.run("backup.sh")
    [*_, taken], [uploaded] = begin(calls, "docker"), begin(calls, "gcloud storage cp --no-clobber ")
    name = uploaded.rpartition("/")[2]
    assert f"BACKUP TABLE logs.logs TO Disk('backups', '{name}')" in taken
    assert uploaded.endswith(f" gs://my-backups/clickhouse/{name}")
    assert list(backups.iterdir()) == []

    copied, _, _, restored = machine.run("restore.sh", name)
    assert copied == f"gcloud storage cp gs://my-backups/clickhouse/{name} {backups / name}"
    assert f"RESTORE ALL FROM Disk('backups', '{name}')" in restored
    assert list(backups.iterdir()) == []


def test_what_was_deleted_is_known_after_a_restore(machine: Machine) -> None:
    machine.set_up(GIVEN)
    (machine.folder / "data/clickhouse/backups").mkdir()

    [*_, taken] = begin(machine.run("backup.sh", REMOVED="1"), "docker")
    [*_, restored] = machine.run("restore.sh", "logs.zip", REMOVED="1")

    assert "BACKUP TABLE logs.logs, TABLE logs.logs_removed TO Disk" in taken
    assert "RESTORE TABLE logs.logs FROM Disk" in restored  # the table that is there knows of later ones too


def test_a_backup_that_would_fill_the_disk_is_not_made(machine: Machine) -> None:
    machine.set_up(GIVEN)

    with pytest.raises(AssertionError, match=r"No backup: it needs 1000000000 MB, .* has to stay free"):
        machine.run("backup.sh", TABLE_BYTES=str(10**15))
    assert [call for call in (machine.folder / "calls").read_text().splitlines() if "BACKUP TABLE" in call] == []


def test_each_night_there_is_a_backup_and_a_look_at_the_certificate(machine: Machine) -> None:
    machine.set_up(GIVEN)

    (machine.folder / "data/clickhouse/backups").mkdir()
    assert begin(machine.run("daily.sh"), "docker compose restart") == []
    assert begin(machine.run("daily.sh"), "gcloud storage cp")

    (machine.folder / "data/tls/server.pem").unlink()  # as if it had expired
    assert begin(machine.run("daily.sh"), "docker compose restart kafka clickhouse")
    assert begin(machine.run("daily.sh"), "docker compose restart") == []
    service = (machine.folder / "etc/systemd/system/log-analytics.service").read_text()
    assert f"ExecStart={machine.home}/deploy/gcp/machine/daily.sh" in service


def test_a_restart_that_failed_is_made_up_for(machine: Machine) -> None:
    machine.set_up(GIVEN)
    (machine.folder / "data/clickhouse/backups").mkdir()
    (machine.folder / "data/tls/server.pem").unlink()

    with pytest.raises(AssertionError):
        machine.run("daily.sh", RESTART="fails")

    assert begin(machine.run("daily.sh"), "docker compose restart kafka clickhouse")


def test_a_smoke_test_passes_when_its_own_log_comes_back(machine: Machine) -> None:
    machine.set_up(GIVEN)

    calls = machine.run("smoke.sh", ARRIVES="yes")

    assert [call.removeprefix("docker compose ") for call in calls if " query " not in call] == [
        "--profile smoke build --quiet app",
        "run --rm --no-deps app python -m app check",
        "up --detach --no-deps --wait app",
        "exec -T app python -m app send -",
        "rm --stop --force app",
    ]


def test_a_smoke_test_fails_when_its_log_does_not_come_back(machine: Machine) -> None:
    machine.set_up(GIVEN)

    with pytest.raises(AssertionError, match=r"(?s)did not arrive within 4 s.*"):
        machine.run("smoke.sh", ARRIVES="", SMOKE_WAIT_SECS="4")
    assert (machine.folder / "calls").read_text().splitlines()[-1] == "docker compose rm --stop --force app"

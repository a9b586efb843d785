"""deploy/gcp/vm.sh against a stand-in of gcloud that remembers what it has created."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.paths import ROOT

PROJECT = "my-project"
READS = {"list", "describe", "access", "--command=true", "--command=cat /mnt/data/tls/ca/ca.pem"}


@dataclass(frozen=True)
class Step:
    """One run of the script: the calls of gcloud, what then existed (kind|name), and what was said."""

    code: int
    calls: list[list[str]]
    things: set[str]
    stdout: str
    stderr: str
    setup_input: str = ""

    @property
    def changes(self) -> list[list[str]]:
        """The calls that change something."""
        return [call for call in self.calls if not READS & set(call)]

    @property
    def shown(self) -> list[list[str]]:
        """The calls of gcloud that a dry run shows."""
        words = [shlex.split(line) for line in self.stdout.splitlines() if line.startswith("+ ")]
        return [line[line.index("gcloud") :] for line in words]

    def created(self, kind: str) -> list[list[str]]:
        """The calls that create a kind of thing."""
        words = ["gcloud", *kind.split(), "create"]
        return [call for call in self.calls if call[: len(words)] == words]


class Cloud:
    """A project, empty at first."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self._calls = folder / "calls"
        gcloud = folder / "bin" / "gcloud"
        gcloud.parent.mkdir()
        gcloud.symlink_to(ROOT / "tests/support/gcloud_state.sh")
        self._environ = {
            "PATH": f"{gcloud.parent}:{os.environ['PATH']}",
            "CALLS": str(self._calls),
            "STATE": str(self.state),
            "PROJECT_ID": PROJECT,
            "SSH_WAIT_SECS": "0",
            # Where tar writes without --file; a Mac's has such a place by itself.
            "TAPE": str(folder / "no-such-folder/tape"),
        }

    def run(self, *words: str, typed: str = "", **variables: str) -> Step:
        """Run the script."""
        self._calls.write_text("")
        command = [str(ROOT / "deploy/gcp/vm.sh"), *words]
        environ = self._environ | variables
        done = subprocess.run(command, env=environ, input=typed, capture_output=True, text=True, check=False)
        calls = [line.split("\t") for line in self._calls.read_text().splitlines()]
        things, given = self.state / "things", self.state / "setup-input"
        return Step(
            done.returncode,
            calls,
            set(things.read_text().splitlines()) if things.exists() else set(),
            done.stdout,
            done.stderr,
            given.read_text() if given.exists() else "",
        )


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """The project of the story below."""
    return Cloud(tmp_path_factory.mktemp("cloud"))


@pytest.fixture(scope="module")
def story(used: Cloud) -> dict[str, Step]:
    """One run after the other in the same project; told once, since each run is a hundred processes."""
    named = {"typed": f"{PROJECT}\n"}
    return {
        "dry up": used.run("--dry-run", "up"),
        "up": used.run("up"),
        "up again": used.run("up", CA="another"),
        "settings": used.run("settings"),
        "smoke": used.run("smoke"),
        "unsure": used.run("destroy", "--with-data", typed="yes\n"),
        "dry destroy": used.run("--dry-run", "destroy"),
        "destroy": used.run("destroy", **named),
        "up after destroy": used.run("up", CA="another"),
        "destroy all": used.run("destroy", "--with-data", **named),
        "destroy all again": used.run("destroy", "--with-data", **named),
    }


def test_every_run_succeeds(story: dict[str, Step]) -> None:
    assert {name: step.stderr for name, step in story.items() if step.code != (name == "unsure")} == {}


@pytest.mark.parametrize("what", ["up", "destroy"])
def test_a_dry_run_shows_what_a_run_then_does(story: dict[str, Step], what: str) -> None:
    assert story[f"dry {what}"].changes == []
    assert story[f"dry {what}"].shown == story[what].changes
    assert len(story[what].changes) >= 8


def test_a_second_run_makes_nothing_again_and_keeps_the_passwords(story: dict[str, Step]) -> None:
    first, second = story["up"], story["up again"]

    assert [call for call in second.changes if "create" in call] == []
    assert second.things == first.things
    assert second.setup_input == first.setup_input


def test_the_address_is_reserved_before_the_machine_that_gets_it(story: dict[str, Step]) -> None:
    calls = story["up"].calls
    [address] = story["up"].created("compute addresses")
    [machine] = story["up"].created("compute instances")

    assert calls.index(address) < calls.index(machine)
    assert "--network-interface=subnet=log-analytics,private-network-ip=log-analytics-vm,no-address" in machine


def test_nothing_is_open_to_the_world(story: dict[str, Step]) -> None:
    rules = story["up"].created("compute firewall-rules")
    assert {word for rule in rules for word in rule if "ranges" in word} == {
        "--source-ranges=35.235.240.0/20",
        "--source-ranges=10.80.0.0/24",
    }
    assert all("--network=log-analytics" in rule for rule in rules)
    [bucket] = story["up"].created("storage buckets")
    assert "--public-access-prevention" in bucket


def test_the_machine_may_only_add_and_read_backups(story: dict[str, Step]) -> None:
    roles = {word for call in story["up"].calls for word in call if word.startswith("--role=")}
    assert roles == {"--role=roles/storage.objectCreator", "--role=roles/storage.objectViewer"}


def test_passwords_are_on_no_command_line(story: dict[str, Step]) -> None:
    given = dict(line.split("=", 1) for line in story["up"].setup_input.splitlines())
    passwords = {value for name, value in given.items() if "PASSWORD" in name}
    assert len(passwords) == 5
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)

    said = "".join(step.stdout + step.stderr + str(step.calls) for step in story.values())
    assert [password for password in passwords if password in said] == []


def test_the_machine_gets_what_compose_mounts_and_builds(story: dict[str, Step], used: Cloud) -> None:
    assert story["up"].code == 0
    with tarfile.open(used.state / "files.tar.gz") as files:
        names = set(files.getnames())
    [unpacked] = [call[-1] for call in story["up"].calls if "tar " in call[-1]]
    assert "--file=- " in unpacked
    assert {"docker-compose.yml", "schema.sql", "grafana/Dockerfile", "deploy/gcp/machine/setup.sh", "app"} <= names
    assert {path for path in names if "__pycache__" in path} == set()


def test_settings_name_the_address_and_the_network(story: dict[str, Step]) -> None:
    assert story["settings"].stdout.splitlines() == [
        "export NETWORK=log-analytics SUBNET=log-analytics",
        "export KAFKA_SERVERS=10.80.0.2:9092 CLICKHOUSE_URL=https://10.80.0.2:8443",
    ]
    assert story["up"].stdout.endswith(story["settings"].stdout)


def test_another_ca_becomes_another_version_of_the_secret(story: dict[str, Step]) -> None:
    assert [call[1:4] for call in story["up again"].changes if "secrets" in call] == [["secrets", "versions", "add"]]
    assert "name the new version" in story["up again"].stderr
    assert "name the new version" not in story["up after destroy"].stderr


def test_the_smoke_test_runs_on_the_machine(story: dict[str, Step]) -> None:
    [call] = story["smoke"].calls
    assert call[-1] == "--command=sudo /opt/log-analytics/deploy/gcp/machine/smoke.sh"
    assert (ROOT / "deploy/gcp/machine/smoke.sh").exists()


def test_nothing_is_deleted_unless_the_project_is_named(story: dict[str, Step]) -> None:
    assert story["unsure"].changes == []
    assert "ITS DATA" in story["unsure"].stderr


def test_destroy_keeps_data_backups_and_secrets_for_the_next_machine(story: dict[str, Step]) -> None:
    kinds = {thing.partition("|")[0] for thing in story["destroy"].things}
    assert kinds == {"compute disks", "compute resource-policies", "storage buckets", "secrets"}
    assert story["up after destroy"].things == story["up"].things
    assert story["up after destroy"].setup_input == story["up"].setup_input


def test_destroy_with_data_leaves_nothing_and_can_be_repeated(story: dict[str, Step]) -> None:
    assert story["destroy all"].things == set()
    assert story["destroy all again"].changes == []


def test_a_run_that_was_cut_off_while_it_made_a_secret_is_made_up_for(cloud: Cloud) -> None:
    assert cloud.run("up").code == 0
    (cloud.state / "log-analytics-reader-password").write_text("")

    step = cloud.run("up")

    assert step.code == 0, step.stderr
    assert "log-analytics-reader-password holds nothing" in step.stderr
    [added] = [call for call in step.changes if "secrets" in call]
    assert added[1:5] == ["secrets", "versions", "add", "log-analytics-reader-password"]
    assert re.search(r"^CLICKHOUSE_READER_PASSWORD=[0-9a-f]{48}$", step.setup_input, re.MULTILINE)


def test_what_may_not_be_listed_is_not_taken_for_missing(cloud: Cloud) -> None:
    (cloud.state / "broken").touch()

    step = cloud.run("up")

    assert step.code == 1
    assert "ERROR: you may not" in step.stderr
    assert [call for call in step.changes if "create" in call] == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PROJECT_ID", "My Project", "PROJECT_ID is 'My Project'. It has to be a project's id"),
        ("PROJECT_ID", "123456789012", "not its name or number"),
        ("PROJECT_ID", "example.org:logs", "not its name or number"),
        ("ZONE", "us-central1-a", "ZONE is 'us-central1-a', which is not in REGION 'europe-west1'"),
    ],
)
def test_names_that_do_not_fit_stop_before_anything_is_made(cloud: Cloud, name: str, value: str, said: str) -> None:
    step = cloud.run("up", **{"REGION": "europe-west1", name: value})

    assert (step.code, step.calls) == (1, [])
    assert said in step.stderr


def test_the_region_is_that_of_the_zone(cloud: Cloud) -> None:
    step = cloud.run("up", ZONE="us-central1-a")

    assert {word for call in step.calls for word in call if "region" in word} == {
        "--region=us-central1",
        "--regions=us-central1",
    }


@pytest.mark.parametrize("words", [(), ("upp",), ("up", "destroy"), ("up", "--with-data")])
def test_a_wrong_call_shows_how_to_call_it(cloud: Cloud, words: tuple[str, ...]) -> None:
    step = cloud.run(*words)

    assert step.code == 2
    assert "destroy [--with-data]" in step.stderr
    assert step.calls == []

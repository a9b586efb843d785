"""Settings and small parts of the local stack."""

from pathlib import Path

import pytest

from local.errors import LocalError
from local.follow import LogFollower
from local.kafka_security import KafkaSecurity
from local.ports import require_free_space
from local.settings import LocalSettings


def test_nothing_need_be_set() -> None:
    assert LocalSettings.from_env({}) == LocalSettings(Path(".local"), Path(".local/cache"), 9092, 8123, 8080)


def test_jars_lie_in_the_directory_unless_said_otherwise() -> None:
    assert LocalSettings.from_env({"LOCAL_DIR": "/a"}).cache == Path("/a/cache")
    assert LocalSettings.from_env({"LOCAL_DIR": "/a", "LOCAL_CACHE_DIR": "/b"}).cache == Path("/b")


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "80.5", "٣"])
@pytest.mark.parametrize("name", ["LOCAL_KAFKA_PORT", "LOCAL_CLICKHOUSE_PORT", "LOCAL_HTTP_PORT"])
def test_a_bad_port_is_named(name: str, value: str) -> None:
    with pytest.raises(LocalError, match=f"{name} is '{value}'"):
        LocalSettings.from_env({name: value})


def test_one_port_cannot_serve_two() -> None:
    with pytest.raises(LocalError, match="three different ports"):
        LocalSettings.from_env({"LOCAL_HTTP_PORT": "9092"})


def test_a_full_disk_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"MB free and \d+ MB are needed"):
        require_free_space(tmp_path / "not" / "yet" / "there", min_bytes=1 << 60)


def test_lines_are_shown_when_they_are_whole(tmp_path: Path) -> None:
    log, shown = tmp_path / "log", list[str]()
    log.write_text("from before\n")
    follower = LogFollower(log, "service", shown.append)

    with log.open("a") as writer:
        writer.write("one\ntw")
        writer.flush()
        follower.poll()
        assert shown == ["service | one"]
        writer.write("o\n")
        writer.flush()
        follower.poll()

    assert shown == ["service | one", "service | two"]


def test_a_log_begun_anew_is_shown_from_its_start(tmp_path: Path) -> None:
    log, shown = tmp_path / "log", list[str]()
    log.write_text("long ago and far away\n")
    follower = LogFollower(log, "service", shown.append)

    log.write_text("new\n")
    follower.poll()

    assert shown == ["service | new"]


def test_a_missing_log_is_no_error(tmp_path: Path) -> None:
    LogFollower(tmp_path / "log", "service", print).poll()


def test_a_broker_without_security_has_the_plain_listener_alone() -> None:
    assert KafkaSecurity().properties() == {}
    assert KafkaSecurity().listener_ports == {}
    assert KafkaSecurity().format_options() == []


def test_users_are_stored_for_both_scram_mechanisms() -> None:
    security = KafkaSecurity(sasl_ssl_port=1, users={"alice": "secret"})

    assert security.format_options() == [
        "--add-scram",
        "SCRAM-SHA-256=[name=alice,password=secret]",
        "--add-scram",
        "SCRAM-SHA-512=[name=alice,password=secret]",
    ]


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(KafkaSecurity(users={"alice": "secret"}))

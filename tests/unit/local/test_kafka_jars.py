"""Locating Kafka's jars."""

import os
from pathlib import Path

from local.kafka_jars import kafka_class_path


def test_the_class_path_holds_wherever_the_broker_runs(tmp_path: Path) -> None:
    home = tmp_path / "kafka-1.0"
    home.mkdir()
    (home / "class-path.txt").write_text("jars\nmodules")
    relative = Path(os.path.relpath(tmp_path))

    folders = kafka_class_path("1.0", relative).split(":")

    assert [Path(os.path.normpath(folder)) for folder in folders] == [home / "jars" / "*", home / "modules" / "*"]
    assert all(Path(folder).is_absolute() for folder in folders)

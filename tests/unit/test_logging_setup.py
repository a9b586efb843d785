"""The service's own log, for people and for machines."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from app.logging_setup import ACCESS, set_up_logging


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ["", "app", ACCESS, "kafka", "urllib3", "clickhouse_connect"]
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in names}
    root.handlers[:] = []  # basicConfig closes existing handlers
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def written(as_json: bool, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(level, as_json=as_json, stream=stream)
    return stream


def test_json_has_the_fields_of_cloud_logging() -> None:
    stream = written(as_json=True)

    logging.getLogger("app.pipeline").warning("Stored %d rows\nétc", 5)

    entry = json.loads(stream.getvalue())
    assert entry["severity"] == "WARNING"
    assert entry["message"] == "Stored 5 rows\nétc"
    assert entry["logger"] == "app.pipeline"
    assert entry["time"].endswith("+00:00")


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_every_level_is_a_severity_of_cloud_logging(level: str) -> None:
    stream = written(as_json=True, level="debug")

    logging.getLogger("app").log(logging.getLevelName(level), "x")

    assert json.loads(stream.getvalue())["severity"] == level


def test_an_exception_stays_in_one_line_of_json() -> None:
    stream = written(as_json=True)
    try:
        raise RuntimeError("boom\nboom")
    except RuntimeError:
        logging.getLogger("app").exception("It failed")

    [line] = stream.getvalue().splitlines()
    message = json.loads(line)["message"]
    assert message.startswith("It failed\nTraceback (most recent call last):")
    assert message.endswith("RuntimeError: boom\nboom")


def test_text_is_one_line_with_time_and_level() -> None:
    stream = written(as_json=False)

    logging.getLogger("app").info("Consuming")

    assert stream.getvalue().endswith(" INFO    Consuming\n")
    assert stream.getvalue().startswith("20")


def test_fields_follow_the_message_and_cannot_look_like_a_line_of_their_own() -> None:
    stream = written(as_json=False, level="error")

    fields = {
        "principal": "grafana",
        "query": 'a="b"\n2026 ERROR forged \x1b[2J\x9b\u202e',
        "rows": 5,
        "refused": False,
    }
    logging.getLogger(ACCESS).info("Access", extra={"fields": {"access": fields}})

    [line] = stream.getvalue().splitlines()
    assert line.endswith(
        r' Access principal=grafana query="a=\"b\"\n2026 ERROR forged \u001b[2J\x9b\u202e" rows=5 refused=false'
    )


def test_json_has_fields_beside_the_message_with_control_characters_escaped() -> None:
    stream = written(as_json=True)

    logging.getLogger(ACCESS).info("Access", extra={"fields": {"access": {"query": "é\n\x1b\x9b\u202e", "rows": 5}}})

    line = stream.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert json.loads(line)["access"] == {"query": "é\n\x1b\x9b\u202e", "rows": 5}


def test_control_characters_in_a_message_are_escaped() -> None:
    stream = written(as_json=False)

    logging.getLogger("app").info("Cannot read %s", "\x1b]52;c;x\x07")

    assert stream.getvalue().endswith(r"Cannot read \x1b]52;c;x\x07" + "\n")


def test_the_level_applies_to_our_own_log_and_libraries_log_only_warnings() -> None:
    stream = written(as_json=False, level="debug")

    logging.getLogger("app.x").debug("ours")
    logging.getLogger("kafka.consumer").warning("retrying")
    logging.getLogger("kafka.consumer").error("broken")
    logging.getLogger("asyncio").info("serving")
    logging.getLogger("asyncio").warning("queue")

    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["ours", "broken", "queue"]


@pytest.mark.parametrize(("level", "lines"), [("info", 0), ("debug", 4)])
def test_attempts_of_the_kafka_client_are_logged_only_for_debugging(level: str, lines: int) -> None:
    stream = written(as_json=False, level=level)

    for name in ("kafka.net.transport", "kafka.cluster", "kafka.coordinator", "kafka.consumer.fetcher"):
        logging.getLogger(name).error("Connection lost")

    assert len(stream.getvalue().splitlines()) == lines


def test_a_higher_level_keeps_the_rest_out() -> None:
    stream = written(as_json=False, level="error")

    logging.getLogger("app").warning("w")
    logging.getLogger("app").error("e")

    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["e"]


def test_warnings_of_python_go_the_same_way() -> None:
    stream = written(as_json=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("soon gone", stacklevel=1)
        logging.captureWarnings(False)

    assert "soon gone" in json.loads(stream.getvalue())["message"]


def test_setting_up_twice_does_not_write_twice() -> None:
    written(as_json=True)
    stream = written(as_json=True)

    logging.getLogger("app").info("once")

    assert len(stream.getvalue().splitlines()) == 1

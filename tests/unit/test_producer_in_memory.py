"""producer.py from its options to its exit code, with a publisher in memory."""

import bz2
import gzip
import json
import re
import signal
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from app.errors import KafkaCode, TryAgainLater
from app.ports import LogPublisher
from app.settings import KafkaSettings
from producer import exit_code, main
from sending.signals import Signals
from sending.tally import Tally
from tests.fakes import MemoryPublisher
from tests.unit.input.test_binary import PNG
from tests.unit.sending.publishers import made, unanswered, unreachable, values

TRACE = b"10:15:01 ERROR failed\njava.lang.Error: x\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)"
FULL = Path("/dev/full")
needs_a_full_device = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def log_file(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        path = tmp_path / "some.log"
        path.write_bytes(content)
        return str(path)

    return write


def test_the_default_is_ten_thousand_generated_events(capsys: pytest.CaptureFixture[str]) -> None:
    publisher = MemoryPublisher()

    assert main([], {}, make_publisher=made(publisher)) == 0

    assert len(publisher.records) == 10_000
    assert publisher.is_closed
    assert "10,000 sent, 10,000 acknowledged, 0 failed" in capsys.readouterr().out


def test_events_are_keyed_by_the_field_that_was_named() -> None:
    publisher = MemoryPublisher()

    main(["--count", "200", "--key", "service"], {}, make_publisher=made(publisher))

    assert len(publisher.records) == 200
    for record in publisher.records:
        assert record.value is not None
        assert record.key == json.loads(record.value)["service"].encode()


def test_a_seed_repeats_the_events_but_for_their_times() -> None:
    def services() -> list[str]:
        publisher = MemoryPublisher()
        main(["--count", "50", "--seed", "4"], {}, make_publisher=made(publisher))
        return [json.loads(value or b"")["service"] for value in values(publisher)]

    # An incident may begin between two runs; none begins again at once.
    assert services() == services() or services() == services()


@pytest.mark.parametrize("arguments", [["--file"], []])
def test_the_lines_of_a_file_are_sent_and_empty_ones_are_skipped(
    arguments: list[str], log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    code = main([*arguments, log_file(b"one\n\r\n \t\n\n\xfftwo")], {}, make_publisher=made(publisher))

    assert (code, values(publisher)) == (0, [b"one", b"\xfftwo"])
    assert "3 empty lines skipped" in capsys.readouterr().out


def test_count_limits_the_lines_of_a_file(log_file: Callable[[bytes], str]) -> None:
    publisher = MemoryPublisher()

    main(["--count", "2", log_file(b"1\n2\n3\n")], {}, make_publisher=made(publisher))

    assert values(publisher) == [b"1", b"2"]


def test_an_empty_file_is_no_failure(log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([log_file(b"")], {}, make_publisher=made(MemoryPublisher())) == 0
    assert "0 sent" in capsys.readouterr().out


def test_a_record_without_the_key_field_is_sent_and_reported(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    main(["--key", "a", log_file(b'{"a":"x"}\nplain\n')], {}, make_publisher=made(publisher))

    assert [record.key for record in publisher.records] == [b"x", None]
    assert "1 sent without a key" in capsys.readouterr().out


def test_failed_records_are_counted_and_named_and_the_exit_code_is_1(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(value: bytes) -> TryAgainLater | None:
        return TryAgainLater("not acknowledged", code=KafkaCode.TIMEOUT) if value == b"bad" else None

    publisher = MemoryPublisher(answer=answer)
    code = main([log_file(b"ok\nbad\nok\nbad\n")], {}, make_publisher=made(publisher))

    out = capsys.readouterr().out
    assert code == 1
    assert "4 sent, 2 acknowledged, 2 failed" in out
    assert "2 failed (number 2, 4): not acknowledged" in out


def test_a_line_that_is_too_long_fails_by_its_number_and_the_others_are_sent(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher(max_record_bytes=100)

    code = main([log_file(b"a\n" + b"x" * 500 + b"\nb\n")], {}, make_publisher=made(publisher))

    assert (code, values(publisher)) == (1, [b"a", b"b"])
    assert "1 failed (number 2): a line of 501 bytes is longer than the topic allows (100 bytes)" in (
        capsys.readouterr().out
    )


def test_a_record_that_the_publisher_does_not_take_is_a_failed_one(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher(max_record_bytes=1)  # as long a line may be read, with its end

    assert main([log_file(b"aa\nbb\n")], {}, make_publisher=made(publisher)) == 1
    assert "2 sent, 0 acknowledged, 2 failed" in capsys.readouterr().out


def test_an_unreachable_kafka_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}, make_publisher=made(unreachable())) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("producer.py: Kafka does not answer at kafka.example:9092 (refused).")
    assert "Traceback" not in captured.err


def test_options_come_before_the_environment() -> None:
    asked_for: list[KafkaSettings] = []
    environ = {"KAFKA_TOPIC": "from-env", "KAFKA_BOOTSTRAP_SERVERS": "from-env:1"}

    def make(settings: KafkaSettings, _: object) -> MemoryPublisher:
        asked_for.append(settings)
        return MemoryPublisher()

    main(["--count", "1", "--topic", "from-option"], environ, make_publisher=make)

    [settings] = asked_for
    assert (settings.topic, settings.bootstrap_servers) == ("from-option", "from-env:1")


def test_settings_of_other_programs_do_not_matter() -> None:
    environ = {"CLICKHOUSE_URL": "nonsense", "BATCH_MAX_ROWS": "-1"}

    assert main(["--count", "1"], environ, make_publisher=made(MemoryPublisher())) == 0


def test_a_bad_setting_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--topic", "no spaces"], {}, make_publisher=made(MemoryPublisher())) == 2
    assert "producer.py: KAFKA_TOPIC is 'no spaces'" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", "/no/such/file"], {}, make_publisher=made(MemoryPublisher())) == 2
    assert "/no/such/file cannot be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "-1"], "must be a whole number"),
        (["--count", "many"], "must be a whole number"),
        (["--rate", "fast"], "must be a number, 0 or more"),
        (["--rate", "nan"], "must be a number, 0 or more"),
        (["--timeout", "0"], "must be a number, 1 or more"),
        (["--compression", "rar"], "invalid choice"),
        (["a.log", "--file", "b.log"], "name the input once"),
        (["a.log", "--seed", "1"], "--seed is for generated events"),
        (["--cuont", "1"], "unrecognized arguments"),
        (["--encoding", "latin-77", "a.log"], "is no encoding"),
        (["--multiline", "[", "a.log"], "is no regular expression"),
        (["--timezone", "Berlin", "a.log"], "is no zone of the tz database"),
        (["--header", "team", "a.log"], "must be NAME=VALUE"),
    ],
)
def test_bad_options_are_explained(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments, {}, make_publisher=made(MemoryPublisher()))

    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_a_signal_stops_an_endless_run_which_then_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals()

    def stop_after_five() -> None:
        if len(publisher.records) == 5:
            signals.receive(signal.SIGINT)

    publisher = MemoryPublisher()
    publisher.meanwhile = stop_after_five
    code = main(["--count", "0"], {}, make_publisher=made(publisher), signals=signals)

    assert (code, len(publisher.records)) == (0, 5)
    assert "5 sent, 5 acknowledged, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_end_of_the_input_shows_in_the_exit_code(number: int, expected: int) -> None:
    signals, publisher = Signals(), MemoryPublisher()
    publisher.meanwhile = lambda: signals.receive(number)

    assert main(["--count", "1000"], {}, make_publisher=made(publisher), signals=signals) == expected


def test_a_signal_before_anything_is_sent_ends_the_program_at_once() -> None:
    signals = Signals()

    def interrupted(_settings: KafkaSettings, _options: Namespace) -> LogPublisher:
        signals.receive(signal.SIGINT)
        return MemoryPublisher()

    with pytest.raises(SystemExit) as stopped:
        main([], {}, make_publisher=interrupted, signals=signals)

    assert stopped.value.code == 130


def test_a_second_signal_gives_up_on_what_is_in_flight(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals()

    code = main(["--count", "0"], {}, make_publisher=made(unanswered(signals, signal.SIGINT)), signals=signals)

    assert code == 1
    out = capsys.readouterr().out
    assert "3 sent, 0 acknowledged, 3 failed" in out
    assert "3 failed (number 1, 2, 3): not acknowledged before the publisher was closed" in out


def test_one_record_that_is_not_acknowledged_outweighs_everything_else() -> None:
    tally = Tally()
    tally.send()
    tally.complete(1, 10, TryAgainLater("late", code="late"))

    assert exit_code(tally, problem=None, signal_number=signal.SIGINT, is_endless=True) == 1


@needs_a_full_device
def test_a_summary_that_cannot_be_written_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with FULL.open("w") as full, redirect_stdout(full):
        code = main(["--count", "3", "--quiet"], {}, make_publisher=made(MemoryPublisher()))

    assert code == 1
    assert capsys.readouterr().err == (
        "producer.py: the summary cannot be written: No space left on device. 3 sent, 3 acknowledged, 0 failed\n"
    )


@needs_a_full_device
def test_records_are_sent_also_where_complaints_cannot_be_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environ = {"KAFKA_TOPIK": "nearly a setting"}

    with FULL.open("w") as full, redirect_stderr(full):
        code = main(["--count", "3"], environ, make_publisher=made(MemoryPublisher()))

    assert code == 0
    assert "3 sent, 3 acknowledged, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_stack_traces_are_joined_and_counted(
    pack: Callable[[bytes], bytes], log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    code = main([log_file(pack(TRACE + b"\n10:15:02 INFO next\n"))], {}, make_publisher=made(publisher))

    assert (code, values(publisher)) == (0, [TRACE, b"10:15:02 INFO next"])
    out = capsys.readouterr().out
    assert "2 sent, 2 acknowledged, 0 failed" in out
    assert "3 lines joined to the event that they continue" in out
    assert "some.log" in out


def test_multiline_off_makes_every_line_a_record(log_file: Callable[[bytes], str]) -> None:
    publisher = MemoryPublisher()

    main(["--multiline", "off", log_file(TRACE)], {}, make_publisher=made(publisher))

    assert values(publisher) == TRACE.splitlines()


def test_multiline_may_say_what_begins_an_event(log_file: Callable[[bytes], str]) -> None:
    publisher = MemoryPublisher()

    main(["--multiline", "# Time", log_file(b"# Time: 1\na\nb\n# Time: 2\nc")], {}, make_publisher=made(publisher))

    assert values(publisher) == [b"# Time: 1\na\nb", b"# Time: 2\nc"]


@pytest.mark.parametrize("arguments", [[], ["--quiet"]])
def test_a_file_that_is_no_text_is_refused_before_anything_is_sent(
    arguments: list[str], log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher, path = MemoryPublisher(), log_file(PNG)

    assert main([*arguments, path], {}, make_publisher=made(publisher)) == 2

    assert values(publisher) == []
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"producer.py: {path} is not text but a PNG image; nothing of it was sent\n"


def test_a_file_that_was_cut_off_is_a_problem_beside_the_summary(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\nthree\n")[:-6]

    assert main([log_file(packed)], {}, make_publisher=made(publisher)) == 1

    captured = capsys.readouterr()
    assert values(publisher) == [b"one", b"two", b"three"]
    assert "3 sent, 3 acknowledged, 0 failed" in captured.out
    assert "some.log ends in the middle of its gzip data: it was cut off; what precedes was sent" in captured.err


def test_the_summary_says_what_was_read(log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]) -> None:
    content = gzip.compress("größer\n".encode("utf-16"))
    path = log_file(content)

    main([path], {}, make_publisher=made(MemoryPublisher()))

    assert f"read {len(content)} bytes of {path} (gzip, UTF-16-LE)" in capsys.readouterr().out


def test_lines_that_are_not_utf8_are_counted(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([log_file("größer\n".encode("latin-1"))], {}, make_publisher=made(MemoryPublisher()))
    assert "1 are not UTF-8 and were sent as they are: name their --encoding" in capsys.readouterr().out

    publisher = MemoryPublisher()
    main(["--encoding", "latin-1", log_file("größer\n".encode("latin-1"))], {}, make_publisher=made(publisher))
    assert "UTF-8" not in capsys.readouterr().out
    assert values(publisher) == ["größer".encode()]


def test_characters_that_the_encoding_does_not_have_are_counted(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--encoding", "ascii", log_file("größer\n".encode("latin-1"))], {}, make_publisher=made(MemoryPublisher()))

    assert "2 characters unreadable and replaced" in capsys.readouterr().out


def headers_sent(arguments: list[str], environ: dict[str, str]) -> list[tuple[str, bytes | None]]:
    publisher = MemoryPublisher()
    main(["--count", "1", *arguments], environ, make_publisher=made(publisher))
    [record] = publisher.records
    return list(record.headers)


@pytest.mark.parametrize(
    ("arguments", "zone"),
    [
        ([], b"Asia/Tokyo"),
        (["--timezone", "Europe/Berlin"], b"Europe/Berlin"),
        (["--timezone", "none"], None),
        (["--header", "timezone=Asia/Seoul"], b"Asia/Seoul"),
    ],
)
def test_records_say_the_zone_of_this_machine_or_another(
    arguments: list[str], zone: bytes | None, log_file: Callable[[bytes], str]
) -> None:
    headers = headers_sent([*arguments, log_file(b"one\n")], {"TZ": "Asia/Tokyo"})

    assert headers == ([("timezone", zone)] if zone else [])


def test_records_have_the_headers_of_the_options(log_file: Callable[[bytes], str]) -> None:
    options = ["--service", "pay", "--host", "h1", "--header", "team=shop", "--header", "rack=7"]

    headers = headers_sent([*options, log_file(b"one\n")], {"TZ": "UTC"})

    assert headers == [("service.name", b"pay"), ("host.name", b"h1"), ("team", b"shop"), ("rack", b"7")]


def test_generated_events_have_no_zone_but_the_one_of_an_option() -> None:
    assert headers_sent([], {"TZ": "Asia/Tokyo"}) == []
    assert headers_sent(["--timezone", "Asia/Seoul"], {}) == [("timezone", b"Asia/Seoul")]


def test_the_help_has_commands_as_the_documents_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"], {}, make_publisher=made(MemoryPublisher()))

    commands = re.findall(r"^  (?:.*\| )?(\S+) producer\.py", capsys.readouterr().out, re.MULTILINE)
    assert set(commands) == {".venv/bin/python"}
    assert len(commands) > 4

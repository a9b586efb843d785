"""The program that sends logs, with a publisher in memory."""

import argparse
import io
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from app.backends.kafka_publisher import OnDone
from app.errors import Refused, TryAgainLater
from app.settings import KafkaSettings
from producer import Pacer, Progress, Signals, Tally, exit_code, key_from_field, main, read_lines, summary

MAX_BYTES = 100


class MemoryPublisher:
    """Answers every record at once, as `answer` says; an answer that is raised is one that `publish` raises."""

    def __init__(self, answer: Callable[[bytes], TryAgainLater | Refused | None] = lambda _: None) -> None:
        self.values: list[bytes] = []
        self.keys: list[bytes | None] = []
        self.settings = KafkaSettings()
        self.options = argparse.Namespace()
        self.is_closed = False
        self._answer = answer

    def make(self, settings: KafkaSettings, options: argparse.Namespace) -> "MemoryPublisher":
        self.settings, self.options = settings, options
        return self

    def connect(self) -> int:
        return MAX_BYTES

    def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> None:
        self.values.append(value)
        self.keys.append(key)
        on_done(self._answer(value))

    def close(self, timeout_secs: float) -> None:
        self.is_closed = True


class SilentPublisher(MemoryPublisher):
    """Takes records and never answers; the user loses patience after the third."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> None:
        self.values.append(value)
        if len(self.values) == 3:
            self._signals.receive(signal.SIGINT)
            self._signals.receive(signal.SIGINT)


class UnreachablePublisher(MemoryPublisher):
    def connect(self) -> int:
        raise TryAgainLater("Kafka does not answer at kafka.example:9092 (refused)", code="unreachable")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, secs: float) -> None:
        self.sleeps.append(secs)
        self.now += secs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log_file(tmp_path: Path) -> Callable[[bytes], str]:
    def write(content: bytes) -> str:
        path = tmp_path / "some.log"
        path.write_bytes(content)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"no end", [b"no end"]),
        (b"a\n\n\nb", [b"a", b"", b"", b"b"]),
        (b"\xff\xfe\x00\n\x80", [b"\xff\xfe\x00", b"\x80"]),
        (b"cr\rinside\r\r\n", [b"cr\rinside\r"]),
        (b"only cr\r", [b"only cr\r"]),
        (b"vertical\x0btab\x0cfeed\xc2\x85next\n", [b"vertical\x0btab\x0cfeed\xc2\x85next"]),
    ],
)
def test_lines_keep_their_bytes_and_lose_their_ends(content: bytes, values: list[bytes]) -> None:
    assert [line.value for line in read_lines(io.BytesIO(content), MAX_BYTES)] == values


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_as_long_as_a_record_may_be_is_read_whole(end: bytes) -> None:
    [line] = read_lines(io.BytesIO(b"x" * MAX_BYTES + end), MAX_BYTES)

    assert line.value == b"x" * MAX_BYTES


def test_a_line_that_is_too_long_is_not_held_and_its_neighbours_are_untouched() -> None:
    lines = list(read_lines(io.BytesIO(b"before\n" + b"x" * 1_000_000 + b"\nafter\n"), MAX_BYTES))

    assert [(line.number, line.value) for line in lines] == [(1, b"before"), (2, None), (3, b"after")]
    assert lines[1].size_bytes == 1_000_001


def test_records_are_spread_evenly_over_time() -> None:
    clock = Clock()
    pacer = Pacer(10, clock, clock.sleep)

    due = []
    for _ in range(21):
        pacer.wait()
        due.append(clock.now)

    assert due == pytest.approx([100 + n / 10 for n in range(21)])


def test_at_a_high_rate_records_share_sleeps_and_the_rate_is_kept() -> None:
    clock = Clock()
    pacer = Pacer(20_000, clock, clock.sleep)

    for _ in range(20_001):
        pacer.wait()

    assert clock.now - 100 == pytest.approx(1.0, abs=0.005)
    assert len(clock.sleeps) < 1_000


def test_after_a_hold_up_at_most_a_second_is_made_up_for() -> None:
    clock = Clock()
    pacer = Pacer(10, clock, clock.sleep)
    pacer.wait()
    clock.now += 60

    for _ in range(11):
        pacer.wait()
    assert clock.sleeps == []
    pacer.wait()
    assert clock.sleeps == [pytest.approx(0.1)]


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    pacer = Pacer(0, clock, clock.sleep)

    for _ in range(100):
        pacer.wait()

    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"service":"auth","n":1}', b"auth"),
        ('{"service":"größe"}'.encode(), "größe".encode()),
        (b'{"service":7}', b"7"),
        (b'{"service":null}', None),
        (b'{"other":"x"}', None),
        (b"plain text", None),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b"[" * 100_000, None),
        (b'{"service":"\\ud800"}', b"?"),
    ],
)
def test_the_key_is_the_value_of_a_json_field(record: bytes, key: bytes | None) -> None:
    assert key_from_field("service")(record) == key


def test_the_default_is_ten_thousand_generated_events(capsys: pytest.CaptureFixture[str]) -> None:
    publisher = MemoryPublisher()

    assert main([], {}, make_publisher=publisher.make) == 0

    assert len(publisher.values) == 10_000
    assert publisher.is_closed
    assert "10,000 sent, 10,000 acknowledged, 0 failed" in capsys.readouterr().out


def test_events_are_keyed_by_the_field_that_was_named() -> None:
    publisher = MemoryPublisher()

    main(["--count", "200", "--key", "service"], {}, make_publisher=publisher.make)

    assert publisher.keys == [json.loads(value)["service"].encode() for value in publisher.values]


def test_a_seed_repeats_the_events_but_for_their_times() -> None:
    runs = [MemoryPublisher(), MemoryPublisher()]
    for publisher in runs:
        main(["--count", "50", "--seed", "4"], {}, make_publisher=publisher.make)

    first, second = ([json.loads(value) | {"timestamp": ""} for value in publisher.values] for publisher in runs)
    assert [event["service"] for event in first] == [event["service"] for event in second]


@pytest.mark.parametrize("arguments", [["--file"], []])
def test_the_lines_of_a_file_are_sent_and_empty_ones_are_skipped(
    arguments: list[str], log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    code = main([*arguments, log_file(b"one\n\r\n\n\xfftwo")], {}, make_publisher=publisher.make)

    assert (code, publisher.values) == (0, [b"one", b"\xfftwo"])
    assert "2 empty lines skipped" in capsys.readouterr().out


def test_count_limits_the_lines_of_a_file(log_file: Callable[[bytes], str]) -> None:
    publisher = MemoryPublisher()

    main(["--count", "2", log_file(b"1\n2\n3\n")], {}, make_publisher=publisher.make)

    assert publisher.values == [b"1", b"2"]


def test_an_empty_file_is_no_failure(log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([log_file(b"")], {}, make_publisher=MemoryPublisher().make) == 0
    assert "0 sent" in capsys.readouterr().out


def test_a_record_without_the_key_field_is_sent_and_told_of(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    main(["--key", "a", log_file(b'{"a":"x"}\nplain\n')], {}, make_publisher=publisher.make)

    assert publisher.keys == [b"x", None]
    assert "1 sent without a key" in capsys.readouterr().out


def test_failed_records_are_counted_and_named_and_the_exit_code_is_1(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(value: bytes) -> TryAgainLater | None:
        return TryAgainLater("not acknowledged", code="Timeout") if value == b"bad" else None

    publisher = MemoryPublisher(answer)
    code = main([log_file(b"ok\nbad\nok\nbad\n")], {}, make_publisher=publisher.make)

    out = capsys.readouterr().out
    assert code == 1
    assert "4 sent, 2 acknowledged, 2 failed" in out
    assert "2 failed (number 2, 4): not acknowledged" in out


def test_a_line_that_is_too_long_fails_by_its_number_and_the_others_are_sent(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = MemoryPublisher()

    code = main([log_file(b"a\n" + b"x" * 500 + b"\nb\n")], {}, make_publisher=publisher.make)

    assert (code, publisher.values) == (1, [b"a", b"b"])
    assert "1 failed (number 2): a line of 501 bytes is longer than the topic allows (100 bytes)" in (
        capsys.readouterr().out
    )


def test_a_record_that_the_publisher_does_not_take_is_a_failed_one(
    log_file: Callable[[bytes], str], capsys: pytest.CaptureFixture[str]
) -> None:
    class Refusing(MemoryPublisher):
        def publish(self, value: bytes, *, key: bytes | None, on_done: OnDone) -> None:
            raise Refused("too large", code="MessageSizeTooLargeError")

    assert main([log_file(b"a\nb\n")], {}, make_publisher=Refusing().make) == 1
    assert "2 sent, 0 acknowledged, 2 failed" in capsys.readouterr().out


def test_an_unreachable_kafka_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}, make_publisher=UnreachablePublisher().make) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("producer.py: Kafka does not answer at kafka.example:9092 (refused).")
    assert "Traceback" not in captured.err


def test_options_come_before_the_environment() -> None:
    publisher = MemoryPublisher()
    environ = {"KAFKA_TOPIC": "from-env", "KAFKA_BOOTSTRAP_SERVERS": "from-env:1"}

    main(["--count", "1", "--topic", "from-option"], environ, make_publisher=publisher.make)

    assert publisher.settings.topic == "from-option"
    assert publisher.settings.bootstrap_servers == "from-env:1"


def test_settings_of_other_programs_do_not_matter() -> None:
    environ = {"CLICKHOUSE_URL": "nonsense", "BATCH_MAX_ROWS": "-1"}

    assert main(["--count", "1"], environ, make_publisher=MemoryPublisher().make) == 0


def test_a_bad_setting_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--topic", "no spaces"], {}, make_publisher=MemoryPublisher().make) == 2
    assert "producer.py: KAFKA_TOPIC is 'no spaces'" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", "/no/such/file"], {}, make_publisher=MemoryPublisher().make) == 2
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
    ],
)
def test_bad_options_are_explained(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments, {}, make_publisher=MemoryPublisher().make)

    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_a_signal_stops_an_endless_run_which_then_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals()

    def answer_and_stop_after_five(_: bytes) -> None:
        if len(publisher.values) == 5:
            signals.receive(signal.SIGINT)

    publisher = MemoryPublisher(answer_and_stop_after_five)
    code = main(["--count", "0"], {}, make_publisher=publisher.make, signals=signals)

    assert (code, len(publisher.values)) == (0, 5)
    assert "5 sent, 5 acknowledged, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_end_of_the_input_shows_in_the_exit_code(number: int, expected: int) -> None:
    signals = Signals()

    def stop(_: bytes) -> None:
        signals.receive(number)

    assert main(["--count", "1000"], {}, make_publisher=MemoryPublisher(stop).make, signals=signals) == expected


def test_a_second_signal_gives_up_on_what_is_in_flight(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals()

    code = main(["--count", "0"], {}, make_publisher=SilentPublisher(signals).make, signals=signals)

    assert code == 1
    assert "3 not answered: they may or may not have arrived" in capsys.readouterr().out


def test_one_record_that_is_not_acknowledged_outweighs_everything_else() -> None:
    tally = Tally()
    tally.send()
    tally.settle(1, 10, TryAgainLater("late", code="late"))

    assert exit_code(tally, problem=None, signal_number=signal.SIGINT, is_endless=True) == 1


def test_the_summary_names_the_first_ten_failures() -> None:
    tally = Tally()
    for number in range(1, 31):
        tally.send()
        tally.settle(number, 10, TryAgainLater("late", code="late"))

    assert "30 failed (number 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...): late" in summary(tally, where="topic logs")


def test_the_rate_in_the_summary_ends_with_the_last_answer() -> None:
    clock = Clock()
    tally = Tally(clock)
    for number in range(1, 101):
        tally.send()
        clock.now += 0.02
        tally.settle(number, 50_000, None)
    clock.now += 1_000

    assert "5.0 MB in 2.0 s to topic logs: 50 records/s" in summary(tally, where="topic logs")


def test_on_a_terminal_the_bar_is_redrawn_and_cleared() -> None:
    tally, out = Tally(), Terminal()
    progress = Progress(tally, out, max_count=4, input_bytes=0)
    tally.send()
    tally.settle(1, 10, None)

    progress.show()
    assert "[######                  ]  25%  1 acknowledged" in out.getvalue()
    progress.clear()
    assert out.getvalue().endswith(" \r")


def test_elsewhere_there_is_a_line_every_five_seconds() -> None:
    tally, out, clock = Tally(), io.StringIO(), Clock()
    progress = Progress(tally, out, max_count=0, input_bytes=200, clock=clock)
    tally.send()
    tally.read_bytes = 50

    for _ in range(11):
        progress.show()
        clock.now += 1

    assert out.getvalue().splitlines() == ["25%: 0 acknowledged, 0/s, 1 in flight"] * 2


def test_no_progress_is_shown_when_it_is_not_wanted() -> None:
    out = Terminal()

    Progress(Tally(), out, is_wanted=False, max_count=1, input_bytes=0).show()

    assert out.getvalue() == ""

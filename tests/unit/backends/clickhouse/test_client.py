"""Translation of ClickHouse's errors."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError

from app.backends.clickhouse.client import is_on_this_machine, translated_errors
from app.errors import Refused, TableMissing, TryAgainLater
from app.settings import ClickHouseSettings


def translation_of(error: Exception) -> Refused | TryAgainLater:
    with pytest.raises((Refused, TryAgainLater)) as caught, translated_errors("insert 3 rows"):
        raise error
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, Refused | TryAgainLater)
    return caught.value


def server_error(code: int, name: str = "NAME", text: str = "Server said no") -> DatabaseError:
    return DatabaseError(text, code=code, name=name)


@pytest.mark.parametrize("code", [6, 27, 33, 38, 41, 53, 69, 70, 72, 117, 128, 131, 321, 349, 407])
def test_data_that_the_server_rejects_is_refused(code: int) -> None:
    translated = translation_of(server_error(code))

    assert isinstance(translated, Refused)
    assert translated.code == str(code)


@pytest.mark.parametrize("code", [16, 60, 62, 81, 164, 192, 202, 242, 243, 425, 439, 497, 516, 1001, 12345])
def test_a_fault_of_the_server_or_its_operator_is_tried_again_and_known_not_to_be_stored(code: int) -> None:
    translated = translation_of(server_error(code))

    assert isinstance(translated, TryAgainLater)
    assert (translated.code, translated.is_outcome_unknown, translated.max_attempts) == (str(code), False, None)


@pytest.mark.parametrize(("code", "is_missing"), [(60, True), (81, True), (16, False), (242, False)])
def test_a_missing_table_is_a_separate_error(code: int, is_missing: bool) -> None:
    assert isinstance(translation_of(server_error(code)), TableMissing) == is_missing


@pytest.mark.parametrize("code", [159, 209, 210, 236, 279, 319, 394, 999])
def test_a_request_that_was_broken_off_may_have_been_carried_out(code: int) -> None:
    translated = translation_of(server_error(code))

    assert isinstance(translated, TryAgainLater)
    assert (translated.is_outcome_unknown, translated.max_attempts) == (True, None)


@pytest.mark.parametrize("code", [241, 252, 469])
def test_an_ambiguous_error_is_retried_a_few_times(code: int) -> None:
    """469 is the table's own constraint: the insert was too late, which is not the fault of a row."""
    translated = translation_of(server_error(code))

    assert isinstance(translated, TryAgainLater)
    assert not translated.is_outcome_unknown
    assert translated.max_attempts is not None
    assert translated.max_attempts > 1


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("Error HTTPConnectionPool(host='h', port=8123)"),
        InterfaceError("closed"),
        ProgrammingError("session"),
        ProtocolError("Connection aborted."),
        MaxRetryError(None, "/", ConnectionRefusedError("refused")),  # type: ignore[arg-type]
        ReadTimeoutError(None, "/", "timed out"),  # type: ignore[arg-type]
        ConnectionResetError("reset"),
        TimeoutError(),
    ],
)
def test_a_connection_that_failed_leaves_the_outcome_unknown(error: Exception) -> None:
    translated = translation_of(error)

    assert isinstance(translated, TryAgainLater)
    assert (translated.code, translated.is_outcome_unknown) == ("unreachable", True)


def test_the_number_counts_and_not_the_text() -> None:
    assert isinstance(translation_of(server_error(241, text="Code: 53. TYPE_MISMATCH")), TryAgainLater)


def test_the_reason_names_the_call_and_the_first_line_of_the_error() -> None:
    error = server_error(60, "UNKNOWN_TABLE", "Table logs.logs does not exist\nStack trace:\n0. DB::Exception")

    assert str(translation_of(error)) == "cannot insert 3 rows: error 60 UNKNOWN_TABLE: Table logs.logs does not exist"


def test_a_reason_is_never_long() -> None:
    assert len(str(translation_of(server_error(60, text="x" * 10_000)))) < 400


def test_an_error_of_our_own_is_not_hidden() -> None:
    with pytest.raises(KeyError), translated_errors("insert"):
        raise KeyError("bug")


def test_a_failed_connection_is_reported_by_its_cause_alone() -> None:
    refused = ConnectionRefusedError(111, "Connection refused")
    error = OperationalError("Error HTTPConnectionPool(host='h', port=1): Max retries exceeded with url: /?query_id=1")
    error.__cause__ = MaxRetryError(None, "/?query_id=1")  # type: ignore[arg-type]
    error.__cause__.__context__ = refused

    assert str(translation_of(error)) == "cannot insert 3 rows: Connection refused"


def test_an_error_without_a_message_is_reported_by_its_name() -> None:
    assert str(translation_of(TimeoutError())) == "cannot insert 3 rows: TimeoutError"


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("clickhouse", False),
        ("localhost.example", False),
    ],
)
def test_an_address_is_of_this_machine_only_if_it_says_so(host: str, is_here: bool) -> None:
    assert is_on_this_machine(ClickHouseSettings(url=f"http://{host}:8123")) == is_here

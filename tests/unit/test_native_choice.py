"""Which code decodes records, by the setting and what is installed."""

from __future__ import annotations

import pytest

from app.backends.clickhouse.text_forms import ArrowForms
from app.build.native import Compiled, chosen, chosen_forms, decoder_name
from app.environment import read_settings
from app.errors import BadSettings
from app.pipeline.native_reader import CompiledReader, Learn
from app.preflight.decoder_checks import check_decoder
from app.preflight.findings import Level

MISSING = Compiled(None, "the compiled decoder is not installed")


def compiled_reader(learn: Learn, text_columns: int, most_bytes: int, past_ms: int, future_ms: int) -> CompiledReader:
    """Stands for the compiled class, of which nothing is made here."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("decoder", "is_native"), [("auto", True), ("native", True), ("python", False)], ids=lambda value: str(value)
)
def test_compiled_code_is_taken_where_it_is_installed_unless_python_is_wanted(decoder: str, is_native: bool) -> None:
    settings = read_settings({"DECODER": decoder})

    assert (chosen(settings, Compiled(compiled_reader)) is compiled_reader) == is_native
    assert decoder_name(settings, Compiled(compiled_reader)) == ("native" if is_native else "python")
    assert check_decoder(settings, "").level is Level.OK


@pytest.mark.parametrize(("decoder", "is_native"), [("auto", True), ("native", True), ("python", False)])
def test_texts_are_written_by_what_records_are_decoded_by(decoder: str, is_native: bool) -> None:
    settings, forms = read_settings({"DECODER": decoder}), ArrowForms()

    assert chosen_forms(settings, Compiled(compiled_reader, forms=forms)) is (forms if is_native else None)
    assert chosen_forms(settings, MISSING) is None


@pytest.mark.parametrize("decoder", ["auto", "python"])
def test_without_compiled_code_records_are_decoded_in_python(decoder: str) -> None:
    settings = read_settings({"DECODER": decoder})

    assert chosen(settings, MISSING) is None
    assert decoder_name(settings, MISSING).startswith("python")
    assert check_decoder(settings, MISSING.missing).level is Level.OK


def test_nothing_starts_if_compiled_code_is_insisted_on_and_missing() -> None:
    settings = read_settings({"DECODER": "native"})

    with pytest.raises(BadSettings) as caught:
        chosen(settings, MISSING)

    assert caught.value.problems == [
        "DECODER is 'native', but the compiled decoder is not installed: `make native` builds it; with auto or python"
        " records are read in Python"
    ]
    assert check_decoder(settings, MISSING.missing).level is Level.PROBLEM


def test_another_decoder_is_no_setting() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({"DECODER": "rust"})

    assert "DECODER is 'rust'" in caught.value.problems[0]

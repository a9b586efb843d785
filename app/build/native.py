"""What is compiled of fetching, decoding and writing blocks, where it is installed (`make native`)."""

from typing import Final, NamedTuple

from app.backends.clickhouse.text_forms import CompiledForms, TextForms
from app.backends.kafka.compiled_fetcher import NewFetcher
from app.errors import BadSettings
from app.pipeline.native_reader import NewReader
from app.settings import Settings

_INTERFACE: Final = 5
"""The interface of the module that this version of the service knows; the same number is in `native/src/lib.rs`."""


class Compiled(NamedTuple):
    """The compiled reader, fetcher and forms of texts, or why there are none."""

    new_reader: NewReader | None
    missing: str = ""
    new_fetcher: NewFetcher | None = None
    forms: TextForms | None = None


def installed() -> Compiled:
    """What is installed beside the service."""
    try:
        import log_decoder  # late: it may be missing
    except ModuleNotFoundError:
        return Compiled(None, "the compiled decoder is not installed")
    except ImportError as error:  # built for another interpreter or machine
        return Compiled(None, f"the compiled decoder cannot be loaded: {error}")
    if log_decoder.INTERFACE != _INTERFACE:
        return Compiled(
            None,
            f"the compiled decoder is of another version: its interface is {log_decoder.INTERFACE}, not {_INTERFACE}",
        )
    forms = CompiledForms(log_decoder.with_lengths, log_decoder.few_values)
    return Compiled(log_decoder.Reader, new_fetcher=log_decoder.Fetcher, forms=forms)


def chosen(settings: Settings, found: Compiled) -> NewReader | None:
    """The compiled reader if the settings want it, None if records are read in Python alone.

    Raises:
        BadSettings: the settings insist on it, and there is none.
    """
    wanted = settings.service.decoder
    if wanted == "native" and found.new_reader is None:
        advice = "`make native` builds it; with auto or python records are read in Python"
        raise BadSettings([f"DECODER is 'native', but {found.missing}: {advice}"])
    return None if wanted == "python" else found.new_reader


def chosen_fetcher(settings: Settings, found: Compiled) -> NewFetcher | None:
    """The compiled fetcher if there is one and the settings do not want Python alone."""
    return None if settings.service.decoder == "python" else found.new_fetcher


def chosen_forms(settings: Settings, found: Compiled) -> TextForms | None:
    """What writes texts into blocks, by the same choice."""
    return None if settings.service.decoder == "python" else found.forms


def decoder_name(settings: Settings, found: Compiled) -> str:
    """By what records are decoded, for people: `native`, or `python` and why if that was not chosen.

    Raises:
        BadSettings: as `chosen`.
    """
    if chosen(settings, found) is not None:
        return "native"
    return "python" if settings.service.decoder == "python" else f"python ({found.missing})"

"""Which browser is looked for, and what is said when there is none."""

from pathlib import Path

import pytest

from local.chromium import NoChromium, chromium_path, running_chromium


def test_the_variable_names_the_program() -> None:
    assert chromium_path({"CHROMIUM": "/opt/chromium", "PATH": "/usr/bin"}) == "/opt/chromium"


def test_without_the_variable_it_is_looked_for_on_the_path(tmp_path: Path) -> None:
    program = tmp_path / "chromium-browser"
    program.touch(mode=0o755)

    assert chromium_path({"PATH": str(tmp_path)}) == str(program)


def test_without_a_browser_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoChromium, match="install the package chromium"), running_chromium({"PATH": str(tmp_path)}):
        pass

"""Finding a browser, and the error without one."""

from pathlib import Path

import pytest

from local.chromium import NoChromium, chromium_path, running_chromium


def test_the_variable_names_the_program() -> None:
    assert chromium_path({"CHROMIUM": "/opt/chromium", "PATH": "/usr/bin"}) == "/opt/chromium"


def test_without_the_variable_the_path_is_searched(tmp_path: Path) -> None:
    program = tmp_path / "chromium-browser"
    program.touch(mode=0o755)

    assert chromium_path({"PATH": str(tmp_path)}) == str(program)


def test_a_missing_browser_is_reported_with_advice(tmp_path: Path) -> None:
    with pytest.raises(NoChromium, match="install the package chromium"), running_chromium({"PATH": str(tmp_path)}):
        pass

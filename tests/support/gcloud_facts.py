"""Asks the installed Google Cloud SDK about every call of gcloud in the project: `make gcloud-facts`.

Writes what it says of the commands and flags in use to gcloud_facts.json, by which the tests check without an SDK.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.gcloud_lines import FACTS, Command, Facts, Line, gcloud_lines
from tests.support.programs import run


def main() -> int:
    lines = list(gcloud_lines())
    sdk = sdk_folder()
    if sdk is None:
        print("gcloud is not installed: https://cloud.google.com/sdk/docs/install")
        return 2
    looks = asked(sdk, lines)
    wrong = [
        f"{line}\n  {call['problem']}" for line, call in zip(lines, looks["calls"], strict=True) if call["problem"]
    ]
    print("\n".join(wrong) or f"SDK {looks['sdk']} accepts all {len(lines)} calls of gcloud")
    if not wrong:
        FACTS.write_text(json.dumps(_in_use(looks, lines), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if wrong else 0


def asked(sdk: Path, lines: list[Line]) -> dict[str, Any]:
    """What the SDK's parser says of each call; tests/support/gcloud_in_sdk.py describes it. It costs seconds."""
    program = Path(__file__).with_name("gcloud_in_sdk.py")
    done = subprocess.run(
        [_python_of(sdk), str(program)],
        env={
            "PYTHONPATH": f"{sdk}/lib:{sdk}/lib/third_party",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "HOME": "/nonexistent",
        },
        input=json.dumps([{"words": _without_files(line.words), "whole": line.whole} for line in lines]),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the SDK in {sdk} does not say: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _without_files(words: list[str]) -> list[str]:
    """Files that commands have made are not read: this machine may have others of these names."""
    return [word.replace("/tmp/", "/nonexistent/") for word in words]


def sdk_folder() -> Path | None:
    """Where the Google Cloud SDK is installed, or None."""
    gcloud = shutil.which("gcloud")
    return Path(gcloud).resolve().parents[1] if gcloud else None


def _python_of(sdk: Path) -> str:
    bundled = sdk / "platform/bundledpythonunix/bin/python3"
    return (
        str(bundled) if bundled.exists() else run(["gcloud", "info", "--format=value(basic.python_location)"]).strip()
    )


def _in_use(looks: dict[str, Any], lines: list[Line]) -> Facts:
    """Only the commands and flags that the project uses: thousands more would be read by nobody."""
    commands: dict[str, Command] = {}
    for line, call in zip(lines, looks["calls"], strict=True):
        if (found := call["command"]) is None:
            continue
        used = {word.partition("=")[0] for word in line.words} - looks["flags"].keys()
        empty: Command = {"least": found["least"], "most": found["most"], "flags": {}}
        command = commands.setdefault(found["name"], empty)
        command["flags"] |= {flag: kind for flag, kind in found["flags"].items() if flag in used}
    return {"sdk": looks["sdk"], "flags": looks["flags"], "commands": commands}


if __name__ == "__main__":
    sys.exit(main())

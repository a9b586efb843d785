"""`python -m bench.http_servers`: which HTTP server is best for the Flask application beside the consumer thread.

The candidates are no dependencies of this repository: a virtual environment is made for them, unless `--python` has
them. Takes about six minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.command import RESULTS, run
from bench.errors import BenchError
from bench.http_servers.child import Ground
from bench.http_servers.contestants import CONTESTANTS, REQUIREMENTS
from bench.http_servers.measures import QUICK, Found, Patiences, Scale, measured
from bench.http_servers.page import page
from bench.machine import interpreter, machine
from bench.report import write_results
from local.certificates import Certificates

_NAME = "http_servers"


def main(arguments: list[str]) -> int:
    """Measure, print and store. 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.http_servers", description="HTTP servers side by side.")
    parser.add_argument(
        "--quick", action="store_true", help="few clients, little time: to see that it works; not stored"
    )
    parser.add_argument("--python", help="an interpreter that has the candidates (default: a new environment)")
    parser.add_argument("--only", nargs="+", choices=[each.name for each in CONTESTANTS], help="these; not stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for the results")
    return run(partial(_measure, parser.parse_args(arguments)))


def _measure(options: argparse.Namespace) -> int:
    scale = QUICK if options.quick else Scale()
    contestants = tuple(each for each in CONTESTANTS if not options.only or each.name in options.only)
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory(prefix=_NAME) as directory:
        ground = _ground(options.python, Path(directory))
        with Patiences(ground, contestants, scale) as patiences:
            for contestant in contestants:
                print(f"{contestant.label} ...", flush=True)
                found[contestant.name] = measured(ground, contestant, scale)
            for contestant in contestants:
                found[contestant.name] |= patiences.found(contestant.name)
        about = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": "python -m bench.http_servers" + " --quick" * options.quick,
            "machine": machine(),
            "python": interpreter(ground.python)["python"],
            "packages": REQUIREMENTS,
            "scale": asdict(scale),
        }
    text = "\n".join(page(about, contestants, found)) + "\n"
    print(text)
    if not (options.quick or options.only):
        for path in write_results(options.results, _NAME, text, {**about, "found": found}):
            print(f"Written: {path}")
    return 0


def _ground(python: str | None, directory: Path) -> Ground:
    """An interpreter with the candidates, and a certificate for localhost.

    Raises:
        BenchError: they cannot be made.
    """
    made = Certificates.create(directory / "tls")
    try:
        if python is None:
            venv.create(directory / "venv", with_pip=True)
            python = str(directory / "venv" / "bin" / "python")
            subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    except subprocess.CalledProcessError as error:
        raise BenchError(f"The candidates cannot be set up: {error}") from error
    return Ground(python, directory, made.certificate_file, made.key_file)


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))

"""Guards the walls between the rooms."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app"
PRODUCER = [ROOT / "producer.py", *sorted((ROOT / "sending").glob("*.py"))]

ALLOWED = {
    "kafka": ("app/backends/",),
    "clickhouse_connect": ("app/backends/",),
    "flask": ("app/api/", "app/build.py"),
    "waitress": ("app/__main__.py",),
    "lark": ("app/query/",),
    "prometheus_client": ("app/metrics.py", "app/build.py", "app/api/"),
}


def modules() -> list[Path]:
    return sorted(APP.rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_only_in_its_room(library: str) -> None:
    importers = {name_of(path) for path in modules() for name in imports_of(path) if name.split(".")[0] == library}

    assert importers, f"nobody imports {library}: take it out of the list"
    assert [name for name in importers if not name.startswith(ALLOWED[library])] == []


def test_only_settings_and_the_way_in_know_the_environment() -> None:
    readers = {name_of(path) for path in modules() if "os.environ" in path.read_text(encoding="utf-8")}

    assert readers == {"app/__main__.py"}, "the mapping is handed to Settings.from_env, nobody else reads it"


def test_the_pipeline_knows_ports_and_never_backends() -> None:
    wrong = [
        (name_of(path), name)
        for path in (APP / "pipeline").glob("*.py")
        for name in imports_of(path)
        if name.startswith(("app.backends", "app.api", "app.build", "app.service", "app.metrics"))
    ]

    assert wrong == []


def test_the_doctor_judges_facts_and_never_asks_for_them() -> None:
    wrong = [
        (name_of(path), name)
        for path in (APP / "doctor").glob("*.py")
        for name in imports_of(path)
        if name.startswith("app.") and not name.startswith(("app.doctor", "app.settings"))
    ]

    assert wrong == []


def test_the_audit_knows_ports_and_never_asks_by_itself() -> None:
    allowed = ("app.audit", "app.errors", "app.model", "app.pipeline.decode", "app.ports")
    wrong = [
        (name_of(path), name)
        for path in (APP / "audit").glob("*.py")
        for name in imports_of(path)
        if name.startswith("app.") and not name.startswith(allowed)
    ]

    assert wrong == []


def test_questions_know_ports_and_neither_web_nor_database() -> None:
    allowed = (
        *("app.query", "app.errors", "app.ports"),
        *("app.pipeline.aliases", "app.pipeline.event_time", "app.pipeline.severity"),
    )
    wrong = [
        (name_of(path), name)
        for path in (APP / "query").glob("*.py")
        for name in imports_of(path)
        if name.startswith("app.") and not name.startswith(allowed)
    ]

    assert wrong == []


def test_the_service_needs_nothing_around_it() -> None:
    wrong = [
        (name_of(path), name)
        for path in modules()
        for name in imports_of(path)
        if name.split(".")[0] in ("sending", "local", "bench", "tests", "producer")
    ]

    assert wrong == []


def test_the_producer_needs_only_the_service_and_its_own_parts() -> None:
    wrong = [
        (name_of(path), name)
        for path in PRODUCER
        for name in imports_of(path)
        if name.split(".")[0] in ("local", "bench", "tests", "kafka")
    ]

    assert wrong == []


@pytest.mark.parametrize("path", [*modules(), *PRODUCER], ids=name_of)
def test_every_module_says_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

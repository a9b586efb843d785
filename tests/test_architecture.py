"""Guards the boundaries between packages."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from local.paths import ROOT

APP = ROOT / "app"
PRODUCER = [ROOT / "producer.py", *sorted((ROOT / "sending").glob("*.py"))]

ALLOWED = {
    "kafka": ("app/backends/",),
    "confluent_kafka": ("app/backends/kafka/",),
    "clickhouse_connect": ("app/backends/",),
    "flask": ("app/api/", "app/build/"),
    "uvicorn": ("app/http/",),
    "lark": ("app/query/",),
    "log_decoder": ("app/build/",),
    "prometheus_client": ("app/metrics.py", "app/build/", "app/api/"),
}

# Allowed imports of each package, in the order of the design: later packages may import more.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "paths": set(),
    "console": set(),
    "csv_cells": set(),
    "client": {"console", "csv_cells"},
    "version": set(),
    "input": set(),
    "logging_setup": {"console"},
    "settings_group": set(),
    "auth_settings": {"settings_group"},
    "receive_settings": {"settings_group"},
    "scaling": {"domain"},
    "retention_settings": {"domain", "settings_group"},
    "scaling_settings": {"scaling", "settings_group"},
    "syslog_settings": {"domain", "settings_group"},
    "settings": {
        "auth_settings",
        "domain",
        "receive_settings",
        "retention_settings",
        "scaling_settings",
        "settings_group",
        "syslog_settings",
    },
    "environment": {"errors", "retention_settings", "settings", "settings_group", "syslog_settings"},
    "health": set(),
    "component": {"health"},
    "stop_signals": set(),
    "last_resort": set(),
    "clocks": {"errors"},
    "http": {"component", "domain", "health", "settings"},
    "metrics": set(),
    "domain": {"errors"},
    "ports": {"domain", "errors"},
    "preflight": {"auth_settings", "domain", "settings"},
    "formats": {"domain"},
    "pipeline": {"domain", "formats", "errors", "ports", "settings"},
    "explain": {"domain", "errors", "formats", "pipeline", "ports"},
    "query": {"domain", "errors", "ports"},
    "access": {"errors", "query"},
    "receive": {"component", "domain", "errors", "formats", "health", "input", "ports"},
    "syslog": {"component", "domain", "errors", "health", "http", "receive"},
    "audit": {"domain", "errors", "pipeline", "ports"},
    "maintenance": {"audit", "domain", "errors", "pipeline"},
    "backends": {
        *("access", "audit", "domain", "errors", "maintenance", "paths", "pipeline", "ports", "preflight", "query"),
        "settings",
    },
    "telemetry": {"access", "audit", "domain", "errors", "health", "metrics", "preflight", "scaling"},
    "service": {"errors", "health", "pipeline", "ports"},
    "api": {
        "access",
        "csv_cells",
        "domain",
        "errors",
        "explain",
        "health",
        "http",
        "logging_setup",
        "metrics",
        "query",
        "receive",
        "settings",
        "version",
    },
    "serve": {"component", "last_resort", "logging_setup", "service", "settings", "stop_signals", "version"},
    "commands": {
        "access",
        "audit",
        "build",
        "client",
        "console",
        "domain",
        "errors",
        "explain",
        "input",
        "maintenance",
        "pipeline",
        "preflight",
        "query",
        "settings",
    },
}


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a module, itself first; parsed once for all tests."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def modules() -> list[Path]:
    return sorted(APP.rglob("*.py"))


@cache
def imports_of(path: Path) -> tuple[str, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_imported_only_in_its_package(library: str) -> None:
    importers = {name_of(path) for path in modules() for name in imports_of(path) if name.split(".")[0] == library}

    assert importers, f"nobody imports {library}: take it out of the list"
    assert [name for name in importers if not name.startswith(ALLOWED[library])] == []


def private_names_taken_from_others(path: Path) -> set[str]:
    """Attributes with a leading underscore that are read from anything but `self` or `super()`."""
    return {
        node.attr
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_")
        if not node.attr.startswith("__") and ast.unparse(node.value) not in ("self", "super()")
    }


def test_only_the_workarounds_reach_into_a_client() -> None:
    backends = sorted((APP / "backends").rglob("*.py"))
    reaching = {name_of(path) for path in backends if private_names_taken_from_others(path)}

    assert reaching == {"app/backends/kafka/workarounds.py"}


def test_kafkas_errors_have_codes_of_our_own() -> None:
    """Labels of series must not depend on the client: no class names of it, no ad hoc strings."""
    wrong = [
        f"{name_of(path)}: {ast.unparse(node.value)}"
        for path in sorted((APP / "backends" / "kafka").glob("*.py"))
        for node in nodes_of(path)
        if isinstance(node, ast.keyword) and node.arg == "code"
        if isinstance(node.value, ast.Constant) or "__name__" in ast.unparse(node.value)
    ]

    assert wrong == []


def test_routes_are_only_made_from_descriptions_of_endpoints() -> None:
    by_hand = re.compile(r"\bBlueprint\b|add_url_rule|@\w+\.(?:get|post|put|delete|route)\(")
    hooks = re.compile(r"(?:before|after)_request")
    found = {name_of(path) for path in modules() if by_hand.search(path.read_text(encoding="utf-8"))}
    hooked = {name_of(path) for path in modules() if hooks.search(path.read_text(encoding="utf-8"))}

    assert hooked == {"app/api/protection.py"}, "what concerns all requests is in one place"
    assert found == {"app/api/routes.py"}, "describe an Endpoint, so that it is authenticated, counted and documented"


def test_only_settings_and_the_way_in_know_the_environment() -> None:
    readers = {name_of(path) for path in modules() if "os.environ" in path.read_text(encoding="utf-8")}

    assert readers == {"app/__main__.py"}, "the mapping is passed to read_settings, nothing else reads it"


@pytest.mark.parametrize("word", ["{table}", "{{table}}", "LogReader", "Statement"])
def test_only_one_module_gets_at_the_table_of_logs_and_it_adds_the_scope(word: str) -> None:
    query = APP / "query"
    users = {
        path.name for path in query.glob("*.py") if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", path.read_text())
    }

    assert users <= {"log_table.py"}


def package_of(module: str) -> str:
    """The package or module directly below `app` that a module belongs to."""
    return module.split(".")[1]


def imports_within_the_service() -> dict[str, set[str]]:
    """Every module of the service with its imports within the service."""
    known = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules()}
    return {
        name: {imported for imported in imports_of(path) if imported.startswith("app.")} for name, path in known.items()
    }


def packages() -> dict[str, set[str]]:
    """Every package of the service with the other packages it imports."""
    found: dict[str, set[str]] = {}
    for name, imported in imports_within_the_service().items():
        if name.count(".") and name != "app.__init__":
            package = package_of(name)
            found.setdefault(package, set()).update({package_of(other) for other in imported} - {package})
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_in_one_direction(package: str) -> None:
    assert packages()[package] <= MAY_IMPORT[package]


def test_every_package_is_in_the_order() -> None:
    top = {"__main__", "build"}  # may import everything

    assert packages().keys() - top == MAY_IMPORT.keys()


def test_packages_do_not_import_each_other_in_a_circle() -> None:
    TopologicalSorter(packages()).prepare()  # raises CycleError, which names the circle


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    TopologicalSorter(imports_within_the_service()).prepare()


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
def test_every_module_has_a_docstring(path: Path) -> None:
    module, *_ = nodes_of(path)

    assert isinstance(module, ast.Module)
    assert ast.get_docstring(module)

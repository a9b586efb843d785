"""Compares the documents with the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.api.app import create_app
from app.build.query import build_query
from app.build.receive import build_receive
from app.errors import KafkaCode
from app.health import Health
from app.metrics import Metrics
from app.preflight.clickhouse_checks import MIN_VERSION as CLICKHOUSE
from app.preflight.kafka_checks import MIN_VERSION as KAFKA
from app.query.language import MAX_BYTES, MAX_TERMS, parse
from app.query.syntax import MAX_DEPTH
from app.settings import Settings
from local.paths import ROOT

DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("bench/*.md"),
        ROOT / "tests" / "README.md",
    ]
)
QUERY = (ROOT / "docs" / "query.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_link_to_a_section_leads_to_one() -> None:
    sections = {document: set(_sections(document)) for document in DOCUMENTS}
    lost = [
        f"{document.relative_to(ROOT)}: {file}#{section}"
        for document in DOCUMENTS
        for file, section in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", document.read_text(encoding="utf-8"))
        if section not in sections.get((document.parent / file).resolve() if file else document, {section})
    ]

    assert lost == []


def _sections(document: Path) -> Iterator[str]:
    """The names that GitHub gives to the headings."""
    text = re.sub(r"^ *```.*?^ *```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        yield re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def test_what_documents_write_into_this_folder_is_not_committed_or_uploaded() -> None:
    """By git, and by `gcloud builds submit`, which goes by .gitignore: a file of passwords, or of hashes of tokens."""
    ignored = set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    commands = r"(?:token create [^\n`]*--file |docker save --output |secrets create [^\n`]*--data-file=)(\w[\w.]*)"
    written = set(re.findall(commands, text))

    assert {"tokens", "images.tar", "ca.pem"} <= written
    assert {f"/{name}" for name in written | {".env"}} - ignored == set()


def test_the_readme_names_every_endpoint() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="0")
    routes = [*build_query(Settings(), metrics).routes, *build_receive(Settings(), metrics).routes]
    rules = {rule.rule for rule in create_app(Health(), registry, *routes).url_map.iter_rules()}
    paths = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule).replace("//", "/") for rule in rules}
    pages = {path for path in paths if not re.search(r"^/explorer/|^/api/v1/docs[./]", path)}  # without their files

    assert len(pages) >= 15
    assert [path for path in pages if f"`{path}`" not in README] == []


def test_the_readme_names_every_variable_of_the_local_stack() -> None:
    names = set(re.findall(r"LOCAL_[A-Z_]+", (ROOT / "local" / "settings.py").read_text(encoding="utf-8")))

    assert len(names) >= 5
    assert [name for name in names if f"`{name}`" not in README] == []


def test_only_make_targets_that_exist_are_named() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
    named = {name: set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) for name, text in texts.items()}

    assert {"run", "test", "check", "bench"} <= named["README.md"]
    assert {name: unknown - targets for name, unknown in named.items() if unknown - targets} == {}


def test_the_reference_matches_the_code() -> None:
    from docs import tables

    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")

    assert tables.settings() in reference, "out of date: make docs"
    assert tables.metrics() in reference, "out of date: make docs"


def test_the_table_of_capacity_is_that_of_what_was_measured() -> None:
    from docs import capacity

    page = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
    costs = capacity.Costs.measured()

    assert capacity.table() in page, "out of date: make docs"
    assert f"× {costs.row_bytes:.0f} bytes × days |" in page
    assert f"× {costs.kafka_bytes:.0f} bytes × days × copies |" in page
    for secs in (costs.service_cpu_secs, costs.clickhouse_cpu_secs, costs.kafka_cpu_secs):
        assert f"peak × {secs * 1e6:.1f} s per million" in page


def test_the_page_on_upgrades_names_the_versions_that_check_asks_for() -> None:
    page = (ROOT / "docs" / "upgrades.md").read_text(encoding="utf-8")
    numbers = {name: ".".join(map(str, least)) for name, least in (("Kafka", KAFKA), ("ClickHouse", CLICKHOUSE))}

    assert [name for name, number in numbers.items() if f"| {name} | {number} |" not in page] == []


def test_the_runbook_explains_every_code_of_kafka() -> None:
    runbook = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8").partition("### LogIngestKafkaAway")[2]
    only_publishing = {KafkaCode.FULL, KafkaCode.CLOSED}  # the service reads

    assert [code for code in set(KafkaCode) - only_publishing if f"`{code}`" not in runbook.partition("###")[0]] == []


def test_the_page_on_receiving_has_a_section_for_every_path() -> None:
    routes = build_receive(Settings(), Metrics(CollectorRegistry(), version="0")).routes
    written = {endpoint.prefix + endpoint.path for of_protocol in routes for endpoint in of_protocol}
    paths = {path.replace("{+", "{").replace("//", "/") for path in written}
    page = (ROOT / "docs" / "receiving.md").read_text(encoding="utf-8")

    assert [path for path in sorted(paths) if path not in page] == []


def test_the_fields_of_the_query_language_match_the_code() -> None:
    from docs import tables

    assert tables.fields() in QUERY, "out of date: make docs"


def test_every_query_in_the_documents_can_be_parsed() -> None:
    examples = re.findall(r"^\| `([^`]+)` \|[^|]*\|$", QUERY, re.MULTILINE)

    assert len(examples) >= 20
    for example in examples:
        parse(example)


@pytest.mark.parametrize("limit", [MAX_BYTES, MAX_DEPTH, MAX_TERMS])
def test_the_limits_of_a_query_are_documented(limit: int) -> None:
    assert re.search(rf"\b{limit:,}\b", QUERY)


def test_every_test_that_the_page_on_security_names_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.\w+)(?:::(\w+))?`", page)

    assert len(named) > 40
    assert [f"{file}::{test}" for file, test in named if not _has_test(ROOT / file, test)] == []


def _has_test(file: Path, test: str) -> bool:
    return file.exists() and (not test or f"def {test}(" in file.read_text(encoding="utf-8"))

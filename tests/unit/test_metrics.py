"""The series that are exposed."""

import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from app.metrics import BulkHistogram, Metrics


def exposed() -> str:
    """The exposition when every series has a value."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1.2.3")
    metrics.messages_consumed.labels("logs", "0").inc()
    metrics.parse_errors.labels("json").inc()
    metrics.consumer_lag.labels("logs", "0").set(1)
    metrics.committed_offset.labels("logs", "0").set(1)
    metrics.lost_to_retention.labels("logs", "0").inc()
    metrics.inserts.labels("stored").inc()
    metrics.retries.labels("clickhouse", "241").inc()
    metrics.end_to_end_latency.add([1] * (len(metrics.end_to_end_latency.bounds) + 1), 3.5)
    return generate_latest(registry).decode()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_promtool_reports_no_problems() -> None:
    run = subprocess.run(
        ["promtool", "check", "metrics"], input=exposed(), capture_output=True, text=True, check=False, timeout=60
    )

    assert (run.stdout + run.stderr, run.returncode) == ("", 0)


def test_every_series_of_ours_has_the_same_beginning_and_a_meaning() -> None:
    helps = [line.split(" ", 3) for line in exposed().splitlines() if line.startswith("# HELP")]
    ours = [(name, meaning) for _, _, name, meaning in helps if not name.startswith("process_")]

    assert len(ours) > 15
    for name, meaning in ours:
        assert name.startswith(("log_ingest_", "log_query_", "log_receive_"))
        assert meaning.endswith(".")


def test_no_series_has_a_creation_time() -> None:
    assert "_created" not in exposed()


def test_the_version_is_exposed() -> None:
    assert 'log_ingest_build_info{python="3.' in exposed()
    assert 'version="1.2.3"} 1.0' in exposed()


@pytest.mark.parametrize(
    ("roles", "prefixes"),
    [
        (("ingest", "query"), {"log_ingest", "log_query"}),
        (("ingest",), {"log_ingest"}),
        (("query",), {"log_query"}),
        (("receive",), {"log_receive"}),
    ],
)
def test_an_instance_exposes_the_series_of_its_roles(roles: tuple[str, ...], prefixes: set[str]) -> None:
    registry = CollectorRegistry()
    Metrics(registry, version="1", roles=roles)

    names = {family.name for family in registry.collect() if family.name.startswith("log_")}
    of_every_instance = {f"log_ingest_{name}" for name in ("build_info", "clock_skew_seconds", "token_file_broken")}
    assert of_every_instance <= names
    assert {"_".join(name.split("_")[:2]) for name in names - of_every_instance} == prefixes


def test_two_services_in_one_process_do_not_share_series() -> None:
    first, second = CollectorRegistry(), CollectorRegistry()
    Metrics(first, version="1").rebalances.inc()
    Metrics(second, version="2")

    assert first.get_sample_value("log_ingest_rebalances_total") == 1
    assert second.get_sample_value("log_ingest_rebalances_total") == 0


# The histogram


def test_a_histogram_adds_up() -> None:
    registry = CollectorRegistry()
    histogram = BulkHistogram("h_seconds", "For a test.", (0.5, 1, 10))
    registry.register(histogram)

    histogram.add([1, 0, 2, 3], 100.5)
    histogram.add([0, 4, 0, 1], 0.5)

    buckets = {bound: registry.get_sample_value("h_seconds_bucket", {"le": bound}) for bound in ("0.5", "1.0", "10.0")}
    assert buckets == {"0.5": 1, "1.0": 5, "10.0": 7}
    assert registry.get_sample_value("h_seconds_bucket", {"le": "+Inf"}) == 11
    assert registry.get_sample_value("h_seconds_count") == 11
    assert registry.get_sample_value("h_seconds_sum") == 101


@pytest.mark.parametrize("counts", [[1, 2], [1, 2, 3, 4, 5]])
def test_counts_of_another_number_of_buckets_are_an_error(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="zip"):
        BulkHistogram("h", "For a test.", (0.5, 1, 10)).add(counts, 1.0)

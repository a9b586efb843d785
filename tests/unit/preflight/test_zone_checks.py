"""What `check` says of stored times that look like those of another zone."""

from __future__ import annotations

from app.preflight.findings import Level
from app.preflight.zone_checks import TimeSample, check_zones
from app.settings import ServiceSettings

STORED_MS = 1_795_975_200_000  # 2026-11-29T18:00:00Z
HOUR_MS = 3_600_000
UTC = ServiceSettings()


def in_the_future(host: str, written: str, service: str = "") -> list[TimeSample]:
    return [TimeSample(host, service, True, STORED_MS + n, STORED_MS + n + 500, written) for n in range(4)]


def in_the_past(host: str, hours: float, written: str = "", service: str = "") -> list[TimeSample]:
    time_ms = STORED_MS - int(hours * HOUR_MS)
    return [TimeSample(host, service, False, time_ms + n, STORED_MS + n + 500, written) for n in range(4)]


def said(samples: list[TimeSample], settings: ServiceSettings = UTC) -> list[str]:
    return [" ".join(str(finding).split()) for finding in check_zones(samples, settings)]


def test_without_such_rows_all_is_well() -> None:
    [finding] = check_zones([], UTC)

    assert finding.level is Level.OK


def test_a_host_ahead_of_utc_is_named_with_its_offset_and_the_setting() -> None:
    assert said(in_the_future("tokyo-1", "2026-11-30 03:00:00,000 INFO x")) == [
        "warning zones host tokyo-1 looks like +09:00, by 4 times without a zone -> Set"
        " TIMEZONES=host:tokyo-1=Asia/Tokyo, or another zone with this offset, such as Asia/Seoul"
    ]


def test_a_service_without_host_is_named() -> None:
    assert said(in_the_past("", 3.5, service="billing")) == [
        "warning zones service billing looks like -03:30, by 4 times without a zone -> Set"
        " TIMEZONES=service:billing=America/St_Johns"
    ]


def test_lines_that_state_their_zone_are_merely_late() -> None:
    assert said(in_the_past("ny-1", 5, "2026-11-29T13:00:00Z INFO x"))[0].startswith("ok ")
    assert "looks like -05:00" in said(in_the_past("ny-1", 5, "2026-11-29 13:00:00 INFO x"))[0]


def test_a_host_whose_zone_is_set_already_is_not_named() -> None:
    settings = ServiceSettings(timezones="host:tokyo-*=Asia/Tokyo")

    assert said(in_the_future("tokyo-1", "2026-11-30 03:00:00,000 INFO x"), settings)[0].startswith("ok ")


def test_the_zone_that_is_assumed_counts() -> None:
    """Of a stack in Tokyo, the host that writes UTC lies nine hours in the past."""
    settings = ServiceSettings(default_timezone="Asia/Tokyo")

    assert "host utc-1 looks like +00:00" in said(in_the_past("utc-1", 9), settings)[0]


def test_rows_without_origin_and_a_backlog_say_nothing() -> None:
    backlog = [sample for n in range(20) for sample in in_the_past("a", 0.3 + n / 7)]

    assert said([*backlog, *in_the_past("", 5)])[0].startswith("ok ")
    assert len(said([sample for n in range(40) for sample in in_the_past(f"host-{n}", 5)])) == 21

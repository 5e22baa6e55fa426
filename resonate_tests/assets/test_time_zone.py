"""Schedules run in the night of whoever uses the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonate_assets.definitions import build_defs
from resonate_assets.time_zone import TIME_ZONE, time_zone


def machine_in(zone: str, folder: Path) -> Path:
    """As Debian, macOS and Fedora keep it: a link into the database of zones."""
    file = folder / "usr/share/zoneinfo" / zone
    file.parent.mkdir(parents=True)
    file.touch()
    link = folder / "localtime"
    link.symlink_to(file)
    return link


def test_the_machines_zone_is_the_schedules(tmp_path: Path) -> None:
    assert (
        time_zone({}, machine_in("America/Argentina/Buenos_Aires", tmp_path))
        == "America/Argentina/Buenos_Aires"
    )


@pytest.mark.parametrize("told", ["Asia/Tokyo", ":Asia/Tokyo"])
def test_tz_counts_before_the_machine(told: str, tmp_path: Path) -> None:
    assert time_zone({"TZ": told}, machine_in("Europe/Paris", tmp_path)) == "Asia/Tokyo"


@pytest.mark.parametrize("told", ["Atlantis/Capital", "/etc/passwd", "../UTC", "Europe"])
def test_a_zone_that_is_none_is_refused_by_name(told: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        time_zone({"TZ": told}, machine_in("Europe/Paris", tmp_path))


def test_a_machine_that_names_no_zone_has_utc(tmp_path: Path) -> None:
    assert time_zone({}, tmp_path / "nothing") == "UTC"


def test_every_schedule_runs_in_that_zone() -> None:
    schedules = build_defs().get_repository_def().schedule_defs
    assert {schedule.execution_timezone for schedule in schedules} == {TIME_ZONE}

"""The graph as it is promised: a change of keys, jobs, sensors, schedules or checks shows as a changed snapshot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion

from resonate_assets.definitions import ORIGIN_ASSETS, TRACK_ASSETS, build_defs
from resonate_assets.jobs import ORIGIN, STAGES
from resonate_assets.settings import Settings

DEPENDENCIES_AT_IMPORT = (
    "torch",
    "librosa",
    "dawdreamer",
    "pedalboard",
    "onnxruntime",
    "parselmouth",
    "pandas",
    "scipy.signal",
)


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    home = tmp_path_factory.mktemp("home")
    return build_defs(Settings(home, str(home), str(home / "inbox"), "", None))


def test_definitions_are_those_that_were_agreed(defs: dg.Definitions, snapshot: SnapshotAssertion) -> None:
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    described: dict[str, Any] = {
        "assets": {
            key.to_user_string(): {
                "made from": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
                "partitioned": graph.get(key).partitions_def is not None,
                "pools": sorted(graph.get(key).pools or ()),
                "group": graph.get(key).group_name,
            }
            for key in sorted(graph.get_all_asset_keys(), key=str)
        },
        "checks": sorted(
            f"{key.asset_key.to_user_string()}: {key.name}"
            + (", blocking" if graph.get_check_spec(key).blocking else "")
            for key in graph.asset_check_keys
        ),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
        "schedules": {schedule.name: schedule.cron_schedule for schedule in repository.schedule_defs},
        "resources": sorted(defs.resources or {}),
    }
    assert described == snapshot


def test_all_definitions_load(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_stages_of_a_track_are_the_assets_of_its_job() -> None:
    assert [asset.key.path[-1] for asset in TRACK_ASSETS] == list(STAGES)
    assert [asset.key.path[-1] for asset in ORIGIN_ASSETS] == list(ORIGIN)


def test_every_asset_has_a_code_version() -> None:
    assert all(asset.code_versions_by_key[asset.key] for asset in TRACK_ASSETS)


def test_the_code_location_imports_no_heavy_package() -> None:
    code = (
        "import sys, resonate_assets.definitions\n"
        f"heavy = [name for name in {DEPENDENCIES_AT_IMPORT!r} if name in sys.modules]\n"
        "sys.exit(f'imported at load: {heavy}' if heavy else 0)"
    )
    root = Path(__file__).parents[2]
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr

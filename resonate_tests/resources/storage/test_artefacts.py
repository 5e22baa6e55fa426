"""Artefacts: the old one or the new one, found again by what they were made from."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import write_samples
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read, compute_key
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.store import LocalStore, new_directory

ENGINE = Engine("spectral", "small", licence="MIT")
RECIPE = Recipe(ENGINE, {"preset": "balanced", "seed": 7}, "1", "c0ffee", {"librosa": "0.11.0"})
TRACK = "song-0123456789ab"


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(LocalStore(tmp_path))


def make(artefacts: Artefacts, stem: str, content: bytes = b"notes", picture: bytes = b"png") -> Artefact:
    """MIDI made from a stem of that hash."""
    with new_directory(artefacts.store, "midi") as into:
        (into / "bass.mid").write_bytes(content)
        (into / "picture.png").write_bytes(picture)
        product = Product(
            {"bass.mid": into / "bass.mid"},
            {"notes": 12, "loudness_lufs": -math.inf},
            ("quiet",),
            reports={"picture.png": into / "picture.png"},
        )
        return artefacts.keep(
            product,
            stage="midi",
            track=TRACK,
            recipe=RECIPE,
            reads=[Read("stems", "abc", {"bass.wav": stem})],
            seconds=1.5,
        )


def test_what_is_kept_is_current_only_once_it_is_published(artefacts: Artefacts) -> None:
    made = make(artefacts, "k1")
    assert artefacts.current("midi", TRACK) is None
    artefacts.publish(made)
    current = artefacts.current("midi", TRACK)
    assert current is not None
    assert current.path("bass.mid").read_bytes() == b"notes"


def test_a_manifest_tells_files_hashes_engine_recipe_and_inputs(artefacts: Artefacts, tmp_path: Path) -> None:
    made = make(artefacts, "5eed")
    artefacts.publish(made)
    told = json.loads((tmp_path / "artefacts/midi" / TRACK / "manifest.json").read_text())
    (stored,) = (tmp_path / "artefacts/midi" / TRACK).rglob("bass.mid")
    assert told["files"]["bass.mid"] == {
        "size": 5,
        "sha256": hashlib.sha256(b"notes").hexdigest(),
        "report": False,
        "stamp": str(stored.stat().st_mtime_ns),
    }
    assert told["files"]["picture.png"]["report"] is True
    assert stored.parent.name == told["attempt"]
    assert stored.parent.parent.name == told["key"]
    assert told["engine"]["name"] == "spectral"
    assert told["engine"]["model"] == "small"
    assert told["engine"]["licence"] == "MIT"
    assert told["recipe"] == {
        "engine": "spectral",
        "model": "small",
        "settings": {"preset": "balanced", "seed": 7},
        "version": "1",
        "constants": "c0ffee",
        "libraries": {"librosa": "0.11.0"},
    }
    assert told["code_version"].startswith("1-")
    assert told["inputs"] == {"stems/bass.wav": "5eed"}
    assert told["made_from"] == {"stems": "abc"}
    assert told["measures"] == {"notes": 12, "loudness_lufs": "-inf"}


def test_a_manifest_survives_json(artefacts: Artefacts) -> None:
    manifest = make(artefacts, "k1").manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_an_earlier_computation_is_found_after_another_took_its_place(artefacts: Artefacts) -> None:
    first, second = make(artefacts, "k1", b"one"), make(artefacts, "k2", b"two")
    artefacts.publish(first)
    artefacts.publish(second)
    found = artefacts.computed("midi", TRACK, first.manifest.key)
    assert found is not None
    assert found.path("bass.mid").read_bytes() == b"one"


@pytest.mark.parametrize("damage", [None, b"no", b"NOTES"], ids=["gone", "cut", "overwritten"])
def test_a_computation_whose_files_are_not_all_there_as_they_were_is_not_found(
    artefacts: Artefacts, damage: bytes | None
) -> None:
    made = make(artefacts, "k1")
    assert artefacts.computed("midi", TRACK, made.manifest.key) is not None
    path = made.path("bass.mid")
    path.unlink() if damage is None else path.write_bytes(damage)
    assert artefacts.computed("midi", TRACK, made.manifest.key) is None


def test_equal_content_has_an_equal_data_version_whatever_its_picture(artefacts: Artefacts) -> None:
    first = make(artefacts, "k1", picture=b"red")
    assert make(artefacts, "k2", picture=b"blue").data_version == first.data_version
    assert make(artefacts, "k3", content=b"other").data_version != first.data_version


def test_anything_that_changes_a_result_changes_its_key() -> None:
    inputs = {"raw_track/track.wav": "a"}

    def key(recipe: Recipe) -> str:
        return compute_key("stems", recipe.keyed(), inputs)

    base = key(RECIPE)
    others = {
        compute_key("midi", RECIPE.keyed(), inputs),
        compute_key("stems", RECIPE.keyed(), {"raw_track/track.wav": "b"}),
        compute_key("stems", RECIPE.keyed(), {"source/track.wav": "a"}),
        key(replace(RECIPE, version="2")),
        key(replace(RECIPE, engine=replace(ENGINE, name="demucs"))),
        key(replace(RECIPE, engine=replace(ENGINE, model="large"))),
        key(replace(RECIPE, settings={"preset": "aggressive"})),
        key(replace(RECIPE, constants="decaf")),
        key(replace(RECIPE, libraries={"librosa": "0.12.0"})),
    }
    assert len(others | {base}) == 10
    # Under what licence something is done does not change what is done.
    assert key(replace(RECIPE, engine=replace(ENGINE, licence=None))) == base


def test_stems_come_back_in_the_order_in_which_they_were_made(artefacts: Artefacts) -> None:
    with new_directory(artefacts.store, "stems") as into:
        audio = np.zeros((2, 64), np.float32)
        files = {
            f"{name}.wav": write_samples(into / f"{name}.wav", audio, 8000).path
            for name in ("vocals", "drums", "bass", "other")
        }
        made = artefacts.keep(
            Product(files),
            stage="stems",
            track=TRACK,
            recipe=RECIPE,
            reads=[],
            seconds=0,
        )
    assert list(made.stems()) == ["vocals", "drums", "bass", "other"]
    assert made.stems()["bass"].frames == 64


def test_current_artefacts_of_all_tracks_are_listed_with_a_version_that_changes(artefacts: Artefacts) -> None:
    artefacts.publish(make(artefacts, "k1"))
    (before,) = artefacts.all_current("midi")
    artefacts.publish(make(artefacts, "k2", b"two"))
    (after,) = artefacts.all_current("midi")
    assert before[0] == after[0] == TRACK
    assert before[1] != after[1]

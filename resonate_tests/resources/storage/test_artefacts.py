"""Artefacts: the old one or the new one, found again by what they were made from."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.engine import Engine, Product
from resonate_resources.recordings.recording import write_samples
from resonate_resources.storage.artefacts import (
    Artefact,
    Artefacts,
    Manifest,
    compute_key,
)
from resonate_resources.storage.store import LocalStore, new_directory

ENGINE = Engine(
    "spectral", {"preset": "balanced", "seed": 7}, model="small", licence="MIT", notes=("no GPU",)
)
TRACK = "song-0123456789ab"


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(LocalStore(tmp_path))


def make(artefacts: Artefacts, key: str, content: bytes = b"notes", picture: bytes = b"png") -> Artefact:
    with new_directory(artefacts.store, "midi") as into:
        (into / "bass.mid").write_bytes(content)
        (into / "picture.png").write_bytes(picture)
        product = Product(
            {"bass.mid": into / "bass.mid", "picture.png": into / "picture.png"},
            {"notes": 12, "loudness_lufs": -math.inf},
            ("quiet",),
        )
        return artefacts.keep(
            product,
            stage="midi",
            track=TRACK,
            key=key,
            code_version="1",
            engine=ENGINE,
            inputs={"stems": "abc"},
            seconds=1.5,
        )


def test_what_is_kept_is_current_only_once_it_is_published(artefacts: Artefacts) -> None:
    made = make(artefacts, "k1")
    assert artefacts.current("midi", TRACK) is None
    artefacts.publish(made)
    current = artefacts.current("midi", TRACK)
    assert current is not None
    assert current.path("bass.mid").read_bytes() == b"notes"


def test_a_manifest_tells_files_hashes_engine_and_inputs(artefacts: Artefacts, tmp_path: Path) -> None:
    artefacts.publish(make(artefacts, "k1"))
    told = json.loads((tmp_path / "artefacts/midi" / TRACK / "manifest.json").read_text())
    assert told["files"]["bass.mid"] == {"size": 5, "sha256": hashlib.sha256(b"notes").hexdigest()}
    assert told["engine"]["name"] == "spectral"
    assert told["engine"]["model"] == "small"
    assert told["engine"]["licence"] == "MIT"
    assert told["engine"]["settings"] == {"preset": "balanced", "seed": 7}
    assert told["code_version"] == "1"
    assert told["inputs"] == {"stems": "abc"}
    assert told["measures"] == {"notes": 12, "loudness_lufs": "-inf"}


def test_a_manifest_survives_json(artefacts: Artefacts) -> None:
    manifest = make(artefacts, "k1").manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_an_earlier_computation_is_found_after_another_took_its_place(artefacts: Artefacts) -> None:
    first, second = make(artefacts, "k1", b"one"), make(artefacts, "k2", b"two")
    artefacts.publish(first)
    artefacts.publish(second)
    found = artefacts.computed("midi", TRACK, "k1")
    assert found is not None
    assert found.path("bass.mid").read_bytes() == b"one"


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_computation_whose_files_are_not_all_there_is_not_found(artefacts: Artefacts, damage: str) -> None:
    path = make(artefacts, "k1").path("bass.mid")
    path.unlink() if damage == "gone" else path.write_bytes(b"no")
    assert artefacts.computed("midi", TRACK, "k1") is None


def test_equal_content_has_an_equal_data_version_whatever_its_picture(artefacts: Artefacts) -> None:
    first = make(artefacts, "k1", picture=b"red")
    assert make(artefacts, "k2", picture=b"blue").data_version == first.data_version
    assert make(artefacts, "k3", content=b"other").data_version != first.data_version


def test_anything_that_changes_a_result_changes_its_key() -> None:
    base = compute_key("stems", "1", ENGINE, {"raw_track": "a"})
    others = {
        compute_key("midi", "1", ENGINE, {"raw_track": "a"}),
        compute_key("stems", "2", ENGINE, {"raw_track": "a"}),
        compute_key("stems", "1", ENGINE, {"raw_track": "b"}),
        compute_key("stems", "1", replace(ENGINE, name="demucs"), {"raw_track": "a"}),
        compute_key("stems", "1", replace(ENGINE, model="large"), {"raw_track": "a"}),
        compute_key("stems", "1", replace(ENGINE, settings={"preset": "aggressive"}), {"raw_track": "a"}),
    }
    assert len(others | {base}) == 7
    # Why an engine was chosen does not change what it does.
    assert compute_key("stems", "1", replace(ENGINE, notes=()), {"raw_track": "a"}) == base


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
            key="k",
            code_version="1",
            engine=ENGINE,
            inputs={},
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

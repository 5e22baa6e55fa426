"""Which files go out, under which names, and whose word on tempo and key counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resonate_resources.brief.brief import Brief
from resonate_resources.exporting.contents import contents, known_tags
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.store import LocalStore, new_directory

TAGS = Tags(artist="Björk", title="Jóga")
LEVELS = {"loudness_lufs": -14.0, "true_peak_dbtp": -1.0}
MADE: Mapping[str, tuple[list[str], dict[str, float | str]]] = {
    "raw_track": (["track.wav"], {"loudness_lufs": "-inf", "sample_peak_dbfs": -1.0}),
    "restored_track": (["track.wav"], {"steps_kept": 2}),
    "stems": (["vocals.wav", "bass.wav"], {}),
    "restored_stems": (["vocals.wav", "bass.wav"], {}),
    "regenerated_stems": (
        ["vocals.wav", "bass.wav", "drums.wav", "rebuilt.wav", "leave_one_out/without_own_recordings.wav"],
        {"generated": True, "drums_kept": True},
    ),
    "master": (
        ["master.wav", "master.flac", "master.mp3"],
        LEVELS | {f"{form}_{name}": level for form in ("flac", "mp3") for name, level in LEVELS.items()},
    ),
    "midi": (["vocals.mid", "drums.mid", "bass.mid"], {"vocals_notes": 1, "drums_notes": 0, "bass_notes": 2}),
}


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Artefact]:
    store = LocalStore(tmp_path)
    artefacts: dict[str, Artefact] = {}
    for stage, (names, measures) in MADE.items():
        with new_directory(store, stage) as into:
            for name in names:
                (into / name).parent.mkdir(exist_ok=True)
                (into / name).write_bytes(stage.encode())
            artefacts[stage] = Artefacts(store).keep(
                Product({name: into / name for name in names}, measures),
                stage=stage, track="song", recipe=Recipe(Engine("test")), reads=[], seconds=0.0,
            )  # fmt: skip
    return artefacts


def brief(**sections: Mapping[str, Any]) -> Brief:
    return Brief.model_validate(sections)


def test_restored_stems_the_master_and_what_midi_has_notes_go_out_under_the_songs_name(
    made: dict[str, Artefact],
) -> None:
    files = contents(brief(), TAGS, made, lambda _: {})
    assert list(files) == [
        "Björk - Jóga (Vocals).wav",
        "Björk - Jóga (Bass).wav",
        "Björk - Jóga (Master).wav",
        "Björk - Jóga (Master).flac",
        "Björk - Jóga (Master).mp3",
        "Björk - Jóga (Restored).wav",
        "midi/Björk - Jóga (Vocals).mid",
        "midi/Björk - Jóga (Bass).mid",
    ]
    assert files["Björk - Jóga (Bass).wav"].artefact.manifest.stage == "restored_stems"
    assert [out.label and out.label.tags.title for out in files.values()] == [
        "Jóga (Vocals)", "Jóga (Bass)", "Jóga", "Jóga", "Jóga", "Jóga", None, None,
    ]  # fmt: skip


def test_a_track_with_nothing_to_mend_does_not_go_out_twice(
    tmp_path: Path, made: dict[str, Artefact]
) -> None:
    store = LocalStore(tmp_path)
    with new_directory(store, "restored_track") as into:
        (into / "track.wav").write_bytes(b"raw_track")
        made["restored_track"] = Artefacts(store).keep(
            Product({"track.wav": into / "track.wav"}, {"steps_kept": 0}),
            stage="restored_track", track="other", recipe=Recipe(Engine("test")), reads=[], seconds=0.0,
        )  # fmt: skip
    assert not [name for name in contents(brief(), TAGS, made, lambda _: {}) if "Restored" in name]


def test_what_is_asked_for_goes_out_and_nothing_else(made: dict[str, Artefact]) -> None:
    wanted = brief(exports={"parts": ["unrestored_stems", "master"]}, mastering={"formats": ["mp3"]})
    files = contents(wanted, Tags(), made, lambda _: {})
    assert list(files) == [
        "unrestored/Untitled (Vocals, unrestored).wav",
        "unrestored/Untitled (Bass, unrestored).wav",
        "Untitled (Master).mp3",
    ]
    assert files["unrestored/Untitled (Bass, unrestored).wav"].artefact.manifest.stage == "stems"


def test_rebuilt_stems_and_their_sum_go_out_in_a_folder_of_their_own_and_not_in_place_of_others(
    made: dict[str, Artefact],
) -> None:
    files = contents(brief(exports={"parts": ["stems", "regenerated_stems"]}), TAGS, made, lambda _: {})
    assert {name: out.artefact.manifest.stage for name, out in files.items()} == {
        **{f"Björk - Jóga ({stem}).wav": "restored_stems" for stem in ("Vocals", "Bass")},
        **{
            f"regenerated/Björk - Jóga ({part}, played anew).wav": "regenerated_stems"
            for part in ("Vocals", "Bass", "Mix")
        },
        "regenerated/Björk - Jóga (Drums, kept).wav": "regenerated_stems",
    }
    told = files["regenerated/Björk - Jóga (Mix, played anew).wav"]
    assert told.name == "rebuilt.wav"
    assert told.label
    assert told.label.tags.title == "Jóga (Mix, played anew)"


def test_masters_for_other_targets_are_told_apart_by_name(tmp_path: Path, made: dict[str, Artefact]) -> None:
    store = LocalStore(tmp_path)
    names = ["master.wav", "master-apple.wav", "master-9lufs.mp3"]
    levels = {
        f"{label}{name}": level for label in ("", "apple_", "9lufs_mp3_") for name, level in LEVELS.items()
    }
    with new_directory(store, "master") as into:
        for name in names:
            (into / name).write_bytes(name.encode())
        made["master"] = Artefacts(store).keep(
            Product({name: into / name for name in names}, levels),
            stage="master", track="other", recipe=Recipe(Engine("test")), reads=[], seconds=0.0,
        )  # fmt: skip
    files = contents(brief(exports={"parts": ["master"]}), Tags(title="Jóga"), made, lambda _: {})
    assert list(files) == ["Jóga (Master).wav", "Jóga (Master, apple).wav", "Jóga (Master, 9lufs).mp3"]


def test_a_persons_word_counts_more_than_the_file_and_the_file_more_than_what_was_found() -> None:
    found = {"tempo_bpm": 120.018, "key": "A# minor"}
    kept = Tags(bpm=87.0, key="Am")
    said = brief(profile={"tempo_bpm": 174, "key": "C major"})
    assert (
        known_tags(Tags(), brief(), found, "A", "T").bpm,
        known_tags(Tags(), brief(), found, "A", "T").key,
    ) == (120.02, "A#m")
    assert known_tags(kept, brief(), found, "A", "T") == Tags(artist="A", title="T", bpm=87.0, key="Am")
    assert known_tags(kept, said, found, None, "T") == Tags(title="T", bpm=174.0, key="C")
    assert known_tags(Tags(title="Own"), brief(), {"tempo_bpm": None, "key": None}, None, "T") == Tags(
        title="Own"
    )


@pytest.mark.parametrize("bpm", [1e9, 999.0, 2.0])
@pytest.mark.parametrize("key", ["H#", "13A", "A sharp"])
def test_a_tempo_and_a_key_that_none_can_be_give_way_to_what_was_heard(bpm: float, key: str) -> None:
    found = {"tempo_bpm": 120.8, "key": "Bb minor", "key_confidence": 0.9}
    told = known_tags(Tags(bpm=bpm, key=key), brief(), found, "A", "T")
    assert (told.bpm, told.key) == (120.8, "Bbm")
    assert known_tags(Tags(key="8A"), brief(), found, "A", "T").key == "8A"
    assert known_tags(Tags(key="o"), brief(), found, "A", "T").key == "o"  # ID3: off key

"""A recording made anew by JASCO, small and random, from what was heard in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.anew import BLEND, GENERATED, REPORT
from resonate_resources.composition.engines.jasco.checkpoint import load
from resonate_resources.composition.engines.jasco.engine import Jasco
from resonate_resources.composition.engines.jasco.leading import Chord, Tone
from resonate_resources.composition.engines.jasco.recording import (
    HeardRecording,
    MadeByJasco,
    chord_of,
)
from resonate_resources.composition.resource import CompositionResource
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.signal.loudness import measure_loudness

pytest.importorskip("torch")
pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines.tiny_jasco import save

RATE = 44_100
SUNG = (Note(0.0, 0.5, 64, 100), Note(0.5, 1.0, 67, 100))


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    save(folder, "jasco-chords-drums-melody-400M", melody=True)
    monkeypatch.setenv("RESONATE_MODELS", str(folder))
    load.cache_clear()
    return folder


@pytest.fixture
def track(tmp_path: Path) -> Recording:
    noise = np.random.default_rng(1).standard_normal((2, 13 * RATE + 7)).astype(np.float32)
    return write_samples(tmp_path / "track.wav", 0.1 * noise, RATE)


def heard(drums: Recording | None = None) -> HeardRecording:
    chords = [(0.0, "A:min"), (2.0, "F:maj7/3"), (4.0, "N")]
    notes = {"vocals": SUNG, "bass": (Note(0.0, 1.0, 40, 90),), "other": ()}
    return HeardRecording("deep house", 122.4, "A minor", chords, notes, "vocals", drums)


def test_it_is_of_the_recording_s_rate_channels_and_length_and_the_same_each_time(track: Recording) -> None:
    made = [np.concatenate([*MadeByJasco(Jasco(), heard(track)).blocks(track)], axis=1) for _ in range(2)]
    assert made[0].shape == (2, track.frames)
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0][0], made[0][1])
    assert made[0][:, -RATE:].any()


def test_other_chords_and_drums_make_other_music(track: Recording) -> None:
    usual = np.concatenate([*MadeByJasco(Jasco(), heard(track)).blocks(track)], axis=1)
    for other in (replace(heard(track), chords=[(0.0, "Eb:maj")]), heard(None)):
        made = np.concatenate([*MadeByJasco(Jasco(), other).blocks(track)], axis=1)
        assert (made - usual).std() > 0.01 * usual.std()


def test_it_is_labelled_and_lies_beside_the_recording_as_loud(track: Recording, tmp_path: Path) -> None:
    into = tmp_path / "made"
    into.mkdir()
    before = track.sha256
    made = CompositionResource().make_anew_by_model(track, heard(track), 0.5, "a blend is asked for", into)
    assert {*made.files} == {GENERATED, BLEND, REPORT}
    told = json.loads(made.files[REPORT].read_text())
    assert (told["label"], told["engine"]) == ("AI-generated", "jasco")
    assert (told["model"], told["licence"]) == ("jasco-chords-drums-melody-400M", "CC-BY-NC-4.0")
    assert made.measures["generated"] is True
    loudness = [
        measure_loudness(each).integrated_lufs for each in (track, Recording.open(made.files[GENERATED]))
    ]
    assert loudness[0] == pytest.approx(loudness[1], abs=0.1)
    assert Recording.open(track.path).sha256 == before


def test_results_depend_on_weights_and_share_and_what_is_lacking_is_told(models: Path) -> None:
    resource = CompositionResource()
    first = resource.recipe_anew_by_model(0.5)
    assert resource.lacks_for_anew() == ""
    assert first.keyed() != resource.recipe_anew_by_model(0.6).keyed()
    assert "jasco-chords-drums-melody-400M/state_dict.bin" in json.dumps(first.settings)
    (models / "t5-base" / "model.safetensors").unlink()
    assert "google-t5/t5-base" in resource.lacks_for_anew()
    with pytest.raises(ModelError, match="t5-base"):
        resource.recipe_anew_by_model(0.5)


def test_words_tell_hints_who_plays_tempo_and_key_as_far_as_they_are_known() -> None:
    assert heard().words == "deep house, vocals, bass, 122 bpm, A minor"
    nothing = HeardRecording("", None, None, [], {"other": SUNG}, "track", None)
    assert nothing.words == "keys"


def test_the_melody_is_of_the_stem_that_has_it_else_of_the_first_that_plays_and_is_no_bass() -> None:
    assert heard().melody == [Tone(0.0, 0.5, 64), Tone(0.5, 1.0, 67)]
    bass, keys = (Note(0.0, 1.0, 40, 90),), (Note(1.0, 2.0, 60, 90),)
    silent_voice = replace(heard(), notes={"vocals": (), "bass": bass, "other": keys})
    assert silent_voice.melody == [Tone(1.0, 2.0, 60)]
    assert replace(heard(), notes={"bass": bass}).melody == []


@pytest.mark.parametrize(
    ("label", "root", "tones", "bass"),
    [
        ("C", 0, {0, 4, 7}, 0),
        ("Eb:min7/b3", 3, {3, 6, 10, 1}, 6),
        ("F#:maj/5", 6, {6, 10, 1}, 1),
        ("B:hdim7", 11, {11, 2, 5, 9}, 11),
        ("G:7/b7", 7, {7, 11, 2, 5}, 5),
    ],
)
def test_chords_are_read_in_the_analysis_own_syntax(
    label: str, root: int, tones: set[int], bass: int
) -> None:
    assert chord_of(1.5, label) == Chord(1.5, root, frozenset(tones), bass)


def test_no_chord_has_no_tones_and_what_is_no_chord_is_refused() -> None:
    assert chord_of(0.0, "N").tones == frozenset()
    for wrong in ("H:maj", "C:maj13", "C:maj/9", ""):
        with pytest.raises(AudioError, match="is no chord"):
            chord_of(0.0, wrong)

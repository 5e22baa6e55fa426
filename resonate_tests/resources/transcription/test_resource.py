from __future__ import annotations

from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import write_samples
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_studio.demo_song import DemoSong


@pytest.fixture(scope="module")
def product(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Product:
    tempo = demo_song.composition.tempo_bpm
    return TranscriptionResource().transcribe(demo_song.stems, tempo, tmp_path_factory.mktemp("midi"))


def test_there_is_a_midi_file_for_every_stem_at_the_tracks_tempo(
    product: Product, demo_song: DemoSong
) -> None:
    midi = [path for name, path in product.files.items() if name.endswith(".mid")]
    assert [path.name for path in midi] == ["vocals.mid", "drums.mid", "bass.mid", "other.mid"]
    for path in midi:
        read = pretty_midi.PrettyMIDI(str(path))
        assert read.get_tempo_changes()[1][0] == pytest.approx(demo_song.composition.tempo_bpm, abs=0.01)
        assert read.get_end_time() <= demo_song.mix.duration + 0.2


def test_note_counts_are_what_the_files_hold(product: Product) -> None:
    for name in ("vocals", "drums", "bass", "other"):
        parts = pretty_midi.PrettyMIDI(str(product.files[f"{name}.mid"])).instruments
        assert product.measures[f"{name}_notes"] == sum(len(part.notes) for part in parts) > 0


def test_the_same_stems_give_the_same_bytes(product: Product, demo_song: DemoSong, tmp_path: Path) -> None:
    bass = {"bass": demo_song.stems["bass"]}
    again = TranscriptionResource().transcribe(bass, demo_song.composition.tempo_bpm, tmp_path)
    assert again.files["bass.mid"].read_bytes() == product.files["bass.mid"].read_bytes()


def test_silent_stems_give_files_without_notes_and_a_note_that_says_so(tmp_path: Path) -> None:
    silence = np.zeros((2, 44100), np.float32)
    stems = {
        name: write_samples(tmp_path / f"{name}.wav", silence, 44100)
        for name in ("vocals", "drums", "guitar")
    }
    product = TranscriptionResource().transcribe(stems, 120.0, tmp_path)
    for name in stems:
        assert not [
            note
            for part in pretty_midi.PrettyMIDI(str(tmp_path / f"{name}.mid")).instruments
            for note in part.notes
        ]
    assert len(product.notes) == 3


def test_progress_rises_to_one(tmp_path: Path) -> None:
    audio = np.zeros((1, 44100), np.float32)
    stems = {name: write_samples(tmp_path / f"{name}.wav", audio, 44100) for name in ("vocals", "drums")}
    seen: list[float] = []
    TranscriptionResource().transcribe(stems, 120.0, tmp_path, seen.append)
    assert seen[-1] == 1.0

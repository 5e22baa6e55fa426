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


def test_a_tempo_that_is_not_known_is_told_as_not_known(tmp_path: Path) -> None:
    stem = write_samples(tmp_path / "vocals.wav", np.zeros((2, 44100), np.float32), 44100)
    product = TranscriptionResource().transcribe({"vocals": stem}, None, tmp_path)
    assert "tempo_bpm" not in product.measures
    assert "no tempo was found: the 120 BPM of the files are only a ruler" in product.notes


def test_what_separation_left_of_others_is_not_transcribed(demo_song: DemoSong, tmp_path: Path) -> None:
    """Drums 35 dB under the others are no drums that anybody played; 10 dB under them they are."""
    for under_db, played in ((35, False), (10, True)):
        others = {
            name: demo_song.stems[name].read(20 * 44100, 28 * 44100) for name in ("vocals", "drums", "bass")
        }
        level = {name: np.sqrt(np.square(stem).mean()) for name, stem in others.items()}
        wanted = np.hypot(level["vocals"], level["bass"]) * 10 ** (-under_db / 20)
        others["drums"] = (others["drums"] * wanted / level["drums"]).astype(np.float32)
        stems = {name: write_samples(tmp_path / f"{name}.wav", stem, 44100) for name, stem in others.items()}
        product = TranscriptionResource().transcribe(stems, 120.0, tmp_path)
        assert (int(product.measures["drums_notes"]) > 0) == played
        assert product.measures["bass_notes"]
        assert any(note.startswith("drums is nowhere within 20 dB") for note in product.notes) != played


def test_progress_rises_to_one(tmp_path: Path) -> None:
    audio = np.zeros((1, 44100), np.float32)
    stems = {name: write_samples(tmp_path / f"{name}.wav", audio, 44100) for name in ("vocals", "drums")}
    seen: list[float] = []
    TranscriptionResource().transcribe(stems, 120.0, tmp_path, seen.append)
    assert seen[-1] == 1.0

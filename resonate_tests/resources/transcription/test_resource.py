from __future__ import annotations

from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from resonate_resources.recipe import Product
from resonate_resources.recordings.music import KeyFrom, Music
from resonate_resources.recordings.recording import Stems, write_samples
from resonate_resources.recordings.tempo_map import Grid, TimeSignature
from resonate_resources.transcription.brief import TranscriptionBrief
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_studio.demo_song import DemoSong


def transcribed(stems: Stems, music: Music, into: Path, **wanted: bool) -> Product:
    return TranscriptionResource().transcribe(stems, music, TranscriptionBrief(**wanted), into)


def of_demo(song: DemoSong) -> Music:
    """A steady tempo in 4/4, from the first sample on."""
    beat = 60 / song.composition.tempo_bpm
    beats = np.arange(0, song.mix.duration, beat).tolist()
    return Music(song.composition.tempo_bpm, Grid(beats, beats[::4], [TimeSignature(0, 4, 4)]))


@pytest.fixture(scope="module")
def product(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Product:
    return transcribed(demo_song.stems, of_demo(demo_song), tmp_path_factory.mktemp("midi"))


def test_there_is_a_midi_file_for_every_stem_at_the_tracks_tempo(
    product: Product, demo_song: DemoSong
) -> None:
    midi = [path for name, path in product.files.items() if name.endswith(".mid") and "/" not in name]
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
    again = transcribed(bass, of_demo(demo_song), tmp_path)
    assert again.files["bass.mid"].read_bytes() == product.files["bass.mid"].read_bytes()


def test_silent_stems_give_files_without_notes_and_a_note_that_says_so(tmp_path: Path) -> None:
    silence = np.zeros((2, 44100), np.float32)
    stems = {
        name: write_samples(tmp_path / f"{name}.wav", silence, 44100)
        for name in ("vocals", "drums", "guitar")
    }
    product = transcribed(stems, Music(120.0), tmp_path)
    for name in stems:
        assert not [
            note
            for part in pretty_midi.PrettyMIDI(str(tmp_path / f"{name}.mid")).instruments
            for note in part.notes
        ]
    assert len(product.notes) == 3


def test_a_tempo_that_is_not_known_is_told_as_not_known(tmp_path: Path) -> None:
    stem = write_samples(tmp_path / "vocals.wav", np.zeros((2, 44100), np.float32), 44100)
    product = transcribed({"vocals": stem}, Music(), tmp_path)
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
        product = transcribed(stems, Music(120.0), tmp_path)
        assert (int(product.measures["drums_notes"]) > 0) == played
        assert product.measures["bass_notes"]
        assert any(note.startswith("drums is nowhere within 20 dB") for note in product.notes) != played


def test_progress_rises_to_one(tmp_path: Path) -> None:
    audio = np.zeros((1, 44100), np.float32)
    stems = {name: write_samples(tmp_path / f"{name}.wav", audio, 44100) for name in ("vocals", "drums")}
    seen: list[float] = []
    TranscriptionResource().transcribe(stems, Music(120.0), TranscriptionBrief(), tmp_path, seen.append)
    assert seen[-1] == 1.0


def test_quantised_notes_lie_on_sixteenths_of_the_beats(product: Product, demo_song: DemoSong) -> None:
    sixteenth = 15 / demo_song.composition.tempo_bpm
    for name in ("vocals", "drums", "bass", "other"):
        (part,) = pretty_midi.PrettyMIDI(str(product.files[f"quantised/{name}.mid"])).instruments
        places = np.array([(note.start, note.end) for note in part.notes]) / sixteenth
        np.testing.assert_allclose(places, np.round(places), atol=0.01)
        assert not part.pitch_bends


def test_the_table_has_every_note_with_its_bar_and_beat(product: Product, demo_song: DemoSong) -> None:
    import pandas as pd

    table = pd.read_parquet(product.files["notes.parquet"])
    for name, notes in table.groupby("stem"):
        assert len(notes) == product.measures[f"{name}_notes"]
    beat = 60 / demo_song.composition.tempo_bpm
    begun = (4 * (table["bar"] - 1) + table["beat"] - 1) * beat
    np.testing.assert_allclose(begun, table["onset_s"], atol=2e-3)
    assert table["beat"].between(1, 5, inclusive="left").all()
    assert table["confidence"].between(0, 1).all()


def test_tracks_are_named_by_what_plays_them(product: Product) -> None:
    names = {
        name: pretty_midi.PrettyMIDI(str(product.files[f"{name}.mid"])).instruments[0].name
        for name in ("vocals", "drums", "bass", "other")
    }
    assert names == {"vocals": "Voice", "drums": "Drums", "bass": "Electric Bass", "other": "Electric Piano"}


def test_glides_are_written_as_bends_unless_the_brief_says_otherwise(
    product: Product, demo_song: DemoSong, tmp_path: Path
) -> None:
    straight = transcribed({"vocals": demo_song.stems["vocals"]}, of_demo(demo_song), tmp_path, bends=False)
    for made, bent in ((product, True), (straight, False)):
        (voice,) = pretty_midi.PrettyMIDI(str(made.files["vocals.mid"])).instruments
        assert bool(voice.pitch_bends) == bent


def test_short_and_weak_notes_outside_the_key_go_unless_the_brief_says_otherwise(
    demo_song: DemoSong, tmp_path: Path
) -> None:
    other = {"other": demo_song.stems["other"]}
    # Of a key that is a tritone off, most of what is played is outside.
    music = Music(120.0, keys=[KeyFrom(0.0, "F# major")])
    counts = []
    for clean_up in (True, False):
        (tmp_path / str(clean_up)).mkdir()
        made = transcribed(other, music, tmp_path / str(clean_up), clean_up=clean_up)
        counts.append(int(made.measures["other_notes"]))
    assert counts[0] < counts[1]

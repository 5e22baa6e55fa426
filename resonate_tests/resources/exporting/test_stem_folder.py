"""Folders of stems as separators, studios and data sets leave them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.exporting.stem_folder import StemFolder
from resonate_resources.profiling.analysis import analyse_music
from resonate_resources.recordings.recording import AudioError, Recording, write_samples

RATE = 22_050


def a_folder(folder: Path, *names: str, seconds: float = 1.0, rate: int = RATE) -> Path:
    """Each file a level of its own: 0.1, 0.2…"""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        level = np.full((2, round(seconds * rate)), 0.1 * (number + 1), np.float32)
        path = write_samples(folder / "making.wav", level, rate).path
        path.rename(folder / name)
    return folder


CONVENTIONS: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    # files → title, stem → file
    "Demucs": (
        ("bass.wav", "drums.wav", "other.wav", "vocals.wav"),
        "folder",
        {"vocals": "vocals.wav", "drums": "drums.wav", "bass": "bass.wav", "other": "other.wav"},
    ),
    "MUSDB18": (
        ("mixture.wav", "bass.wav", "vocals.wav"),
        "folder",
        {"vocals": "vocals.wav", "bass": "bass.wav"},
    ),
    "UVR": (
        ("1_Artist - Song_(Instrumental).wav", "1_Artist - Song_(Vocals).wav"),
        "1_Artist - Song",
        {
            "vocals": "1_Artist - Song_(Vocals).wav",
            "instrumental": "1_Artist - Song_(Instrumental).wav",
        },
    ),
    "ours": (
        (
            "Drum & Bass - Röck (Bass).wav",
            "Drum & Bass - Röck (Drums).wav",
            "Drum & Bass - Röck (Vocals).wav",
        ),
        "Drum & Bass - Röck",
        {
            "vocals": "Drum & Bass - Röck (Vocals).wav",
            "drums": "Drum & Bass - Röck (Drums).wav",
            "bass": "Drum & Bass - Röck (Bass).wav",
        },
    ),
    "Logic": (
        ("01 Lead Vox.wav", "02 Backing Vox.wav", "03 Bass Guitar.wav", "04 Rhodes.wav", "05 E-Gtr.wav"),
        "folder",
        {
            "bass": "03 Bass Guitar.wav",
            "guitar": "05 E-Gtr.wav",
            "lead vox": "01 Lead Vox.wav",
            "backing vox": "02 Backing Vox.wav",
            "rhodes": "04 Rhodes.wav",
        },
    ),
    "the song beside its stems": (
        ("Song.wav", "Song_drums.wav", "Song_no_vocals.wav", "Song_vocals.wav"),
        "Song",
        {"vocals": "Song_vocals.wav", "drums": "Song_drums.wav"},
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_names_say_what_files_are(convention: str, tmp_path: Path) -> None:
    names, title, stems = CONVENTIONS[convention]
    found = StemFolder.read(a_folder(tmp_path / "folder", *names))
    assert found.title == title
    assert {part: recording.path.name for part, recording in found.stems.items()} == stems
    assert [*found.stems] == [*stems]


def test_a_mix_is_no_stem_and_what_is_there_twice_is_left_out_and_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "f", "Mix.wav", "instrumental.wav", "drums.wav", "Vocals.wav", "master.wav")
    (folder / "notes.txt").write_text("by hand")
    (folder / "._Vocals.wav").write_bytes(b"\0\5\x16\7")
    found = StemFolder.read(folder)
    assert found.mix is not None
    assert found.mix.path.name == "Mix.wav"
    assert [*found.stems] == ["vocals", "drums"]
    assert found.notes == (
        "master.wav: left out, as its parts are there by themselves",
        "instrumental.wav: left out, as its parts are there by themselves",
    )


def nothing_heard(_: Recording) -> Mapping[str, Any]:
    return {"beats_s": (), "tempo_bpm": None, "key": None}


def test_without_a_mix_the_song_is_the_sum_and_short_stems_are_silent_behind_their_end(
    tmp_path: Path,
) -> None:
    folder = a_folder(tmp_path / "f", "drums.wav", seconds=1.0)
    short = np.full((1, RATE // 2), 0.25, np.float32)
    write_samples(folder / "bass.wav", short, RATE)
    found = StemFolder.read(folder)
    assert found.notes == ("stems differ in length by up to 0.50 s; all begin at the start",)
    original = found.song(tmp_path, nothing_heard).original
    assert (original.channels, original.frames) == (2, RATE)
    expected = np.full((2, RATE), 0.1, np.float32)
    expected[0, : RATE // 2] += 0.25  # of one channel it is on the left …
    expected[1, : RATE // 2] += 0.25  # … and on the right
    np.testing.assert_allclose(original.read(), expected, atol=1e-6)


def test_the_grid_is_the_profiles_and_a_tempo_that_is_told_counts(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "Nina - Blue", "vocals.wav", "mix.wav", seconds=4.0)
    profile = {
        "tempo_bpm": 120.0,
        "beats_s": (0.5, 1.0, 1.5, 2.0),
        "downbeats_s": (0.5,),
        "time_signatures": ({"start_s": 0.5, "numerator": 4, "denominator": 4},),
        "key": "Eb minor",
        "key_confidence": 0.9,
        "keys": (
            {"start_s": 0.0, "key": "Eb minor", "confidence": 0.9},
            {"start_s": 3.0, "key": "B major", "confidence": 0.2},
        ),
        "sections": ({"label": "A", "start_s": 0.0, "end_s": 4.0},),
    }
    heard: list[Recording] = []

    def profiled(recording: Recording) -> Mapping[str, Any]:
        heard.append(recording)
        return profile

    song = StemFolder.read(folder).song(tmp_path, profiled)
    assert [recording.path.name for recording in heard] == ["mix.wav"]
    assert (song.tags.artist, song.tags.title, song.tags.bpm, song.tags.key) == ("Nina", "Blue", 120, "Ebm")
    assert [(beat.second, beat.down) for beat in song.beats()] == [
        *((0.5, True), (1.0, False), (1.5, False), (2.0, False))
    ]
    assert [(each.start_s, each.key) for each in song.keys] == [(0.0, "Eb minor")]
    assert [each.name for each in song.sections] == ["A"]
    unheard = StemFolder.read(folder).song(tmp_path, nothing_heard, tempo_bpm=93.5)
    assert unheard.tags.bpm == 93.5
    assert unheard.tempo_map.known
    assert unheard.tempo_map.second(960) == pytest.approx(60 / 93.5, rel=1e-6)


def test_beats_are_heard_in_the_sum_of_stems(tmp_path: Path) -> None:
    """Strokes at 100 BPM, every other one in another stem."""
    beat_s, seconds = 0.6, 30.0
    strokes = np.zeros((2, round(seconds * RATE)), np.float32)
    burst = np.random.default_rng(4).normal(0, 0.4, RATE // 20) * np.exp(-np.linspace(0, 6, RATE // 20))
    for number in range(int(seconds / beat_s) - 1):
        start = round(number * beat_s * RATE)
        strokes[number % 2, start : start + burst.size] += burst
    folder = tmp_path / "f"
    folder.mkdir()
    for name, stem in zip(("drums", "percs"), strokes, strict=True):
        write_samples(folder / f"{name}.wav", stem[None], RATE)

    def profiled(recording: Recording) -> Mapping[str, Any]:
        return {**vars(analyse_music(recording).beats), "key": None, "time_signatures": ()}

    song = StemFolder.read(folder).song(tmp_path, profiled)
    assert song.tags.bpm == pytest.approx(100, abs=0.5)
    offs = [abs(beat.second / beat_s - round(beat.second / beat_s)) * beat_s for beat in song.beats()]
    assert len(offs) > 30
    assert np.median(offs) < 0.03


@pytest.mark.parametrize("names", [(), ("Song (Mix).wav",)])
def test_a_folder_without_stems_is_refused_in_one_line(names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="there are no stems in it"):
        StemFolder.read(a_folder(tmp_path / "f", *names))


def test_stems_of_different_rates_and_folders_that_are_not_there_are_refused_in_one_line(
    tmp_path: Path,
) -> None:
    folder = a_folder(tmp_path / "f", "bass.wav")
    a_folder(folder, "drums.wav", rate=48_000)
    with pytest.raises(AudioError, match=r"different rates \(22050 Hz, 48000 Hz\)"):
        StemFolder.read(folder)
    with pytest.raises(AudioError, match="no such file"):
        StemFolder.read(tmp_path / "nowhere")
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "vocals.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"vocals\.wav"):
        StemFolder.read(tmp_path / "g")


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (
            ("Pad.wav", "Pad.flac", "Pad 2.wav", "Pad 2.flac", "Vox.wav"),
            {
                "vocals": "Vox.wav",
                "pad 2": "Pad 2.flac",
                "pad 2 2": "Pad 2.wav",
                "pad": "Pad.flac",
                "pad 3": "Pad.wav",
            },
        ),
        (
            ("drums.wav", "drums.flac", "Drums 2.wav"),
            {"drums": "drums.flac", "drums 2": "Drums 2.wav", "drums 3": "drums.wav"},
        ),
        (("---.wav", "___.wav"), {"---": "---.wav", "___": "___.wav"}),
    ],
)
def test_no_stem_is_lost_by_what_it_is_called(
    names: tuple[str, ...], stems: dict[str, str], tmp_path: Path
) -> None:
    found = StemFolder.read(a_folder(tmp_path / "f", *names))
    assert {part: recording.path.name for part, recording in found.stems.items()} == stems


def test_stems_of_one_two_and_six_channels_are_one_sum(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for name, channels, level in (("bass", 1, 0.25), ("drums", 2, 0.125), ("pad", 6, 0.0625)):
        write_samples(folder / f"{name}.wav", np.full((channels, RATE), level, np.float32), RATE)
    summed = StemFolder.read(folder).song(tmp_path, nothing_heard).original
    assert summed.read()[:, 0].tolist() == [0.4375, 0.4375, 0.0625, 0.0625, 0.0625, 0.0625]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["drums.wav", "mix.wav"])
def test_samples_that_are_no_numbers_are_refused_in_one_line(name: str, wrong: float, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "f", "vocals.wav", "drums.wav", "mix.wav")
    samples = np.zeros((2, RATE), np.float32)
    samples[1, -1] = wrong
    write_samples(folder / name, samples, RATE)
    with pytest.raises(AudioError, match=f"^{name}: holds samples that are NaN or infinite"):
        StemFolder.read(folder).song(tmp_path, nothing_heard)


def test_a_damaged_stem_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    noise = np.random.default_rng(1).normal(0, 0.1, (2 * RATE, 2))
    sf.write(folder / "drums.flac", noise, RATE)
    data = bytearray((folder / "drums.flac").read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    (folder / "drums.flac").write_bytes(data)
    with pytest.raises(AudioError, match=r"^drums\.flac: is damaged"):
        StemFolder.read(folder).song(tmp_path, nothing_heard)


def test_what_is_empty_or_a_pipe_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "f", "drums.wav")
    write_samples(folder / "bass.wav", np.zeros((2, 0), np.float32), RATE)
    with pytest.raises(AudioError, match=r"bass\.wav: holds no audio"):
        StemFolder.read(folder)
    (folder / "bass.wav").unlink()
    os.mkfifo(folder / "vocals.wav")
    with pytest.raises(AudioError, match=r"vocals\.wav: is not a regular file"):
        StemFolder.read(folder)


@pytest.mark.parametrize(
    ("seconds", "rate", "told"),
    [
        (1.05, RATE, ()),
        (2.0, RATE, ("lasts 2.00 s, the stems 1.00 s",)),
        (0.25, RATE, ("lasts 0.25 s, the stems 1.00 s",)),
        (1.0, 48_000, ("has 48000 Hz, the stems 22050 Hz",)),
    ],
)
def test_a_mix_that_is_of_another_length_or_rate_is_told(
    seconds: float, rate: int, told: tuple[str, ...], tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "f", "drums.wav")
    a_folder(folder, "mix.wav", seconds=seconds, rate=rate)
    notes = StemFolder.read(folder).notes
    assert len(notes) == len(told)
    assert all(words in note for words, note in zip(told, notes, strict=True))

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import parselmouth
import pytest
import soundfile as sf
from scipy import signal

from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import (
    RATE,
    decaying_noise,
    find_bandwidth,
    lowpassed,
    play,
    pumping,
    render,
    sing,
)
from resonate_tests.benchmarks.music_truth.song import Song


def excerpt(seed: int, seconds: float) -> Song:
    """The beginning of a song, by the soundfont that a Python package brings."""
    song = compose(seed)
    parts = {
        name: replace(part, notes=tuple(note for note in part.notes if note.offset_s < seconds))
        for name, part in song.parts.items()
    }
    return replace(
        song,
        duration_s=seconds + 1,
        parts={name: part for name, part in parts.items() if part.notes},
        sound=replace(song.sound, soundfont="TimGM6mb"),
    )


def with_sung_notes(voice: str) -> Song:
    seed = next(s for s in range(100) if compose(s).sound.voice == voice)
    part = compose(seed).parts["lead"]
    first = part.notes[0].onset_s - 0.5
    notes = tuple(
        replace(note, onset_s=note.onset_s - first, offset_s=note.offset_s - first)
        for note in part.notes
        if note.offset_s - first < 12
    )
    song = compose(seed)
    return replace(song, duration_s=13.0, parts={"lead": replace(part, notes=notes)})


def test_strokes_sound_within_ten_milliseconds_of_their_truth(tmp_path: Path) -> None:
    song = excerpt(0, 30.0)
    drums = np.abs(play(song, tmp_path)["drums"]).max(axis=0)
    onsets = np.array(sorted({note.onset_s for note in song.notes("drums")}))
    # Strokes after 80 ms of rest: what rings on doesn't hide where these begin.
    alone = onsets[np.diff(onsets, prepend=-1.0) > 0.08]
    late = []
    for onset in alone:
        start = round((onset - 0.02) * RATE)
        around = drums[start : start + round(0.06 * RATE)]
        before = drums[max(0, start - 400) : start].max(initial=0.0)
        struck = np.flatnonzero(around > before + 0.2 * (around.max() - before))
        late.append(struck[0] / RATE - 0.02)
    assert len(late) > 20
    assert np.abs(late).max() < 0.010


@pytest.mark.parametrize("voice", ["faust", "formants"])
def test_voices_sing_the_notes_that_are_told(voice: str) -> None:
    song = with_sung_notes(voice)
    audio = sing(song, song.parts["lead"])
    assert audio.shape == (2, round(song.duration_s * RATE))
    pitch = parselmouth.Sound(audio[0].astype(np.float64), RATE).to_pitch_ac(
        pitch_floor=70, pitch_ceiling=1300
    )
    held = [note for note in song.parts["lead"].notes if note.duration_s > 0.25]
    heard = [pitch.get_value_at_time(note.onset_s + 0.7 * note.duration_s) for note in held]
    off = [abs(69 + 12 * np.log2(hertz / 440) - note.pitch) for note, hertz in zip(held, heard, strict=True)]
    assert len(held) >= 5
    assert np.mean(np.array(off) < 1.0) >= 0.9  # vibrato is up to 0.8 semitones deep


def test_the_mixture_is_the_sum_of_its_stems_and_truth_lies_beside_them(tmp_path: Path) -> None:
    song = excerpt(1, 12.0)
    room = dict.fromkeys((63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000), 0.4)
    sound = replace(song.sound, rt60_s=room, wet_db=-6.0, lowpass_hz=4000.0, pump_db=9.0, pump_recovery_s=0.3)
    render(replace(song, sound=sound), tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    stems = [
        path for stem in ("drums", "bass", "other", "vocals") if (path := tmp_path / f"{stem}.wav").exists()
    ]
    total = sum(sf.read(path, dtype="float32")[0] for path in stems)
    mix, rate = sf.read(tmp_path / "mix.wav", dtype="float32")
    assert rate == RATE
    assert len(stems) >= 2
    assert np.array_equal(mix, total)
    assert 20 * np.log10(np.abs(mix).max()) == pytest.approx(sound.peak_dbfs, abs=0.01)
    assert truth["bandwidth_hz"] == 4000.0
    assert {stem for stem, notes in truth["notes"].items() if notes} == {path.stem for path in stems}


def test_a_stem_rings_out_before_the_next_one_begins(tmp_path: Path) -> None:
    """All are played in one pass: none may leak into another."""
    song = excerpt(2, 8.0)
    drums = {name: part for name, part in song.parts.items() if name == "drums"}
    alone = play(replace(song, parts=drums), tmp_path)["drums"]
    together = play(song, tmp_path)["drums"]
    assert np.abs(together - alone).max() < 1e-3 * np.abs(alone).max()


def reverberation_times(response: np.ndarray, octaves: Mapping[int, float]) -> dict[int, float]:
    """T30 of ISO 3382-1 (5.3.3): a line through the backward-integrated decay from −5 to −35 dB."""
    times = {}
    for octave in octaves:
        band = signal.butter(3, [octave / 2**0.5, octave * 2**0.5], "band", fs=RATE, output="sos")
        energy = np.cumsum(np.square(signal.sosfiltfilt(band, response))[::-1])[::-1]
        level = 10 * np.log10(energy / energy[0])
        fitted = np.flatnonzero((level <= -5) & (level >= -35))
        slope = np.polyfit(fitted / RATE, level[fitted], 1)[0]
        times[octave] = -60 / slope
    return times


def test_a_room_decays_in_every_octave_in_the_time_that_is_told() -> None:
    told = {125: 1.5, 250: 1.4, 500: 1.2, 1000: 1.2, 2000: 1.1, 4000: 0.9, 8000: 0.7}
    response = decaying_noise(told, np.random.default_rng(0))
    measured = reverberation_times(response[0], told)
    assert measured == pytest.approx(told, rel=0.12)


@pytest.mark.parametrize("cut_hz", [4000.0, 11_000.0, 16_000.0])
def test_a_cut_is_six_decibels_down_where_it_is_told_and_steep(cut_hz: float) -> None:
    impulse = np.zeros((1, RATE), np.float32)
    impulse[0, RATE // 2] = 1
    level = 20 * np.log10(np.abs(np.fft.rfft(lowpassed(impulse, cut_hz)[0])) + 1e-9)  # bins of 1 Hz
    assert level[int(cut_hz)] == pytest.approx(-6, abs=0.2)
    assert np.abs(level[50 : int(cut_hz) - 200]).max() < 0.1
    assert level[int(cut_hz) + 200 :].max() < -80


def test_a_cut_above_all_music_is_no_known_bandwidth() -> None:
    sound = replace(compose(0).sound, lowpass_hz=16_000.0)
    noise = np.random.default_rng(0).standard_normal((2, 5 * RATE)).astype(np.float32)
    assert find_bandwidth(lowpassed(noise, 16_000.0), sound) == 16_000.0
    assert find_bandwidth(lowpassed(noise, 8000.0), sound) is None


def test_ducking_goes_down_at_a_kick_and_comes_back_linearly_in_decibels() -> None:
    gain_db = 20 * np.log10(pumping([1.0], 10.0, 0.4, 2 * RATE))
    assert np.abs(gain_db[:RATE]).max() < 1e-3
    assert gain_db.min() == pytest.approx(-10, abs=0.01)
    assert gain_db[round(1.203 * RATE)] == pytest.approx(-5, abs=0.05)
    assert np.abs(gain_db[round(1.41 * RATE) :]).max() < 1e-3

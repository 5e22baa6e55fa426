from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.loudness import measure_loudness
from resonate_studio.demo_song import DemoSong, compose, render
from resonate_studio.demo_song.composition import KICK, SNARE, TOMS


@pytest.fixture(scope="module")
def stems(demo_song: DemoSong) -> dict[str, Samples]:
    return {name: stem.read() for name, stem in demo_song.stems.items()}


def power(samples: Samples) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def test_the_mix_is_exactly_the_sum_of_the_stems(demo_song: DemoSong, stems: dict[str, Samples]) -> None:
    total = np.zeros_like(stems["vocals"])
    for samples in stems.values():
        total += samples
    assert np.array_equal(demo_song.mix.read(), total)


def test_all_are_stereo_of_one_length_and_the_mix_peaks_at_minus_three_dbfs(demo_song: DemoSong) -> None:
    frames = round(demo_song.composition.duration * 44_100)
    for recording in (*demo_song.stems.values(), demo_song.mix):
        assert (recording.channels, recording.sample_rate) == (2, 44_100)
        assert abs(recording.frames - frames) <= 1
    assert 20 * np.log10(np.abs(demo_song.mix.read()).max()) == pytest.approx(-3.0, abs=0.01)


def test_vocals_bass_and_kick_stand_in_the_centre_and_the_others_spread(stems: dict[str, Samples]) -> None:
    width = {
        name: 10 * np.log10(power(samples[0] - samples[1]) / power(samples[0] + samples[1]))
        for name, samples in stems.items()
    }
    assert width["vocals"] < -15
    assert width["bass"] < -25
    assert width["other"] > -10


def test_no_stem_drowns_another(demo_song: DemoSong) -> None:
    loudness = [measure_loudness(stem).integrated_lufs for stem in demo_song.stems.values()]
    assert max(loudness) - min(loudness) < 8


def test_the_stems_share_the_spectrum_as_real_ones_do(stems: dict[str, Samples]) -> None:
    bands = [(60, 250), (250, 1000), (1000, 4000)]
    frequencies = np.fft.rfftfreq(1 << 20, 1 / 44_100)
    # 24 s from the middle: verse and chorus
    spectra = [np.fft.rfft(samples.mean(axis=0)[15 * 44_100 :][: 1 << 20]) for samples in stems.values()]
    for low, high in bands:
        inside = (frequencies >= low) & (frequencies < high)
        energy = [np.sum(np.abs(spectrum[inside]) ** 2) for spectrum in spectra]
        # At least two stems carry a tenth of the band each.
        assert sum(part > 0.1 * sum(energy) for part in energy) >= 2


def test_every_sung_note_is_heard_at_its_pitch(demo_song: DemoSong, stems: dict[str, Samples]) -> None:
    voice = stems["vocals"].mean(axis=0)
    near = 0
    notes = [note for note in demo_song.composition.notes["vocals"] if note.duration_s > 0.2]
    for note in notes:
        start, stop = (round(second * 44_100) for second in (note.onset_s + 0.08, note.offset_s - 0.02))
        spectrum = np.abs(np.fft.rfft(voice[start:stop] * np.hanning(stop - start), 1 << 17))
        pitch = 440 * 2 ** ((note.pitch - 69) / 12)
        candidates = pitch * 2 ** (np.arange(-250, 251, 5) / 1200)
        harmonics = np.arange(1, 9)
        scores = [
            np.log(spectrum[np.round(candidate * harmonics * (1 << 17) / 44_100).astype(int)] + 1e-9).sum()
            for candidate in candidates
        ]
        near += abs(1200 * np.log2(candidates[int(np.argmax(scores))] / pitch)) <= 50
    # Vibrato swings by 30 cents; short notes catch part of a swing and the glide from the note before.
    assert near >= 0.95 * len(notes)


def test_every_kick_is_heard_at_its_onset(demo_song: DemoSong, stems: dict[str, Samples]) -> None:
    low = np.abs(sosfilt(butter(2, 120, fs=44_100, output="sos"), stems["drums"].mean(axis=0)))
    # Where nothing else of that depth rings: 0.3 s after any other kick, snare or tom.
    deep = [note for note in demo_song.composition.notes["drums"] if note.pitch in (KICK, SNARE, *TOMS)]
    alone = [
        after
        for before, after in pairwise(deep)
        if after.onset_s - before.onset_s > 0.3 and after.pitch == KICK
    ]
    assert len(alone) > 5
    for note in alone:
        start = round(note.onset_s * 44_100)
        assert low[start : start + 882].max() > 4 * low[start - 441 : start].max()


def test_the_same_song_renders_to_the_same_bytes(demo_song: DemoSong, tmp_path: Path) -> None:
    again = render(demo_song.composition, tmp_path)
    assert again.mix.sha256 == demo_song.mix.sha256
    assert {name: stem.sha256 for name, stem in again.stems.items()} == {
        name: stem.sha256 for name, stem in demo_song.stems.items()
    }


def test_another_seed_renders_at_another_rate(tmp_path: Path) -> None:
    song = render(compose(2), tmp_path, 16_000)
    for recording in (song.mix, *song.stems.values()):
        assert recording.sample_rate == 16_000
        assert recording.duration == pytest.approx(song.composition.duration, abs=0.001)
        assert np.isfinite(recording.read()).all()

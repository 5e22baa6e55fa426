"""Each dimension against a defect made for it, on a song whose stems, beats and sections are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soxr
from scipy import signal

from resonate_resources.quality.comparison import Comparison, Heard, compare, listen
from resonate_resources.quality.scales import DIMENSIONS
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_studio.demo_song import DemoSong

CLEARLY = 10.0
"""Points a dimension must lose for a defect of its own."""


@dataclass(frozen=True)
class Song:
    """The demo song in memory: stems and their sum, (2, frames), and where its bars are."""

    stems: dict[str, Samples]
    mix: Samples
    sample_rate: int
    bar: int
    sections: tuple[slice, ...]
    heard: Heard

    @property
    def beat(self) -> int:
        return self.bar // 4

    @property
    def kick(self) -> Samples:
        """What of the drums lies under 150 Hz, without any delay, so that it can be taken out of the mix."""
        low_pass = signal.butter(4, 150, fs=self.sample_rate, output="sos")
        return signal.sosfiltfilt(low_pass, self.stems["drums"]).astype(np.float32)

    def with_stem(self, name: str, samples: Samples) -> Samples:
        return self.mix - self.stems[name] + samples


@pytest.fixture(scope="module")
def song(demo_song: DemoSong) -> Song:
    composition, rate = demo_song.composition, demo_song.mix.sample_rate
    bar = 240 / composition.tempo_bpm * rate
    return Song(
        stems={name: stem.read() for name, stem in demo_song.stems.items()},
        mix=demo_song.mix.read(),
        sample_rate=rate,
        bar=round(bar),
        sections=tuple(
            slice(round(s.start * bar), round((s.start + s.bars) * bar)) for s in composition.sections
        ),
        heard=listen(demo_song.mix),
    )


def transposed(samples: Samples, semitones: float, sample_rate: int) -> Samples:
    stretched = pedalboard.time_stretch(samples, sample_rate, pitch_shift_in_semitones=semitones)
    return np.asarray(stretched[:, : samples.shape[1]], np.float32)


def later(samples: Samples, frames: int) -> Samples:
    return np.pad(samples, ((0, 0), (frames, 0)))[:, : samples.shape[1]]


def low_passed(song: Song) -> Samples:
    return signal.sosfilt(signal.butter(8, 4_000, fs=song.sample_rate, output="sos"), song.mix)


def chorus_turned_down(song: Song) -> Samples:
    mix = song.mix.copy()
    mix[:, song.sections[2]] *= 10 ** (-8 / 20)
    return mix


def folded_to_mono(song: Song) -> Samples:
    return np.broadcast_to(song.mix.mean(axis=0), song.mix.shape)


def bass_a_fourth_up(song: Song) -> Samples:
    return song.with_stem("bass", transposed(song.stems["bass"], 5, song.sample_rate))


def bass_removed(song: Song) -> Samples:
    return song.with_stem("bass", np.zeros_like(song.mix))


def kick_half_a_beat_late(song: Song) -> Samples:
    return song.mix - song.kick + later(song.kick, song.beat // 2)


def kick_removed(song: Song) -> Samples:
    return song.mix - song.kick


def other_chords(song: Song) -> Samples:
    return song.with_stem("other", transposed(song.stems["other"], 3, song.sample_rate))


def faded_over_its_length(song: Song) -> Samples:
    return song.mix * np.linspace(1, 0.05, song.mix.shape[1])


def in_a_hall(song: Song) -> Samples:
    """RT60 2 s, 3 dB under the direct sound."""
    seconds = np.arange(2 * song.sample_rate) / song.sample_rate
    tail = np.random.default_rng(0).standard_normal((2, seconds.size)) * 10 ** (-3 * seconds / 2)
    tail /= np.linalg.norm(tail, axis=1, keepdims=True)
    wet = signal.fftconvolve(song.mix, tail, axes=1)[:, : song.mix.shape[1]]
    return song.mix + 0.7 * wet


def squashed(song: Song) -> Samples:
    return np.tanh(8 * song.mix) / 3


def stretched_by_3_percent(song: Song) -> Samples:
    return pedalboard.time_stretch(song.mix, song.sample_rate, stretch_factor=1.03)


def all_beats_90_ms_late(song: Song) -> Samples:
    return later(song.mix, round(0.09 * song.sample_rate))


def verse_and_chorus_swapped(song: Song) -> Samples:
    intro, verse, chorus, outro = song.sections
    rest = song.mix[:, outro.start :]
    return np.concatenate([song.mix[:, part] for part in (intro, chorus, verse)] + [rest], axis=1)


def through_a_resonance_at_800_hz(song: Song) -> Samples:
    return pedalboard.PeakFilter(800, 15, 1)(song.mix, song.sample_rate)


def brighter_by_8_db(song: Song) -> Samples:
    return pedalboard.HighShelfFilter(5_000, 8, 0.7)(song.mix, song.sample_rate)


def hissing(song: Song) -> Samples:
    """White noise at −50 dBFS."""
    noise = np.random.default_rng(0).standard_normal(song.mix.shape).astype(np.float32)
    return song.mix + np.float32(10 ** (-50 / 20)) * noise


def tuned_30_cents_up(song: Song) -> Samples:
    return transposed(song.mix, 0.3, song.sample_rate)


def drums_stuttering(song: Song) -> Samples:
    """Sixteenths of the drums, each other bar played twice."""
    drums, step = song.stems["drums"].copy(), song.beat // 4
    for start in range(0, drums.shape[1] - 2 * song.bar, 2 * song.bar):
        for sixteenth in range(start, start + song.bar, 2 * step):
            drums[:, sixteenth + step : sixteenth + 2 * step] = drums[:, sixteenth : sixteenth + step]
    return song.with_stem("drums", drums)


def chords_by_square_waves(song: Song) -> Samples:
    other = song.stems["other"]
    envelope = np.sqrt(
        signal.sosfiltfilt(signal.butter(2, 20, fs=song.sample_rate, output="sos"), other**2).clip(0)
    )
    return song.with_stem("other", (np.sign(other) * envelope).astype(np.float32))


DEFECTS: dict[Callable[[Song], Samples], str] = {
    low_passed: "mel_spectrogram_correlation",
    chorus_turned_down: "rms_per_section",
    folded_to_mono: "stereo_width",
    bass_a_fourth_up: "bass_pattern",
    bass_removed: "bass_pattern",
    kick_half_a_beat_late: "kick_pattern",
    kick_removed: "kick_pattern",
    other_chords: "harmonic_progression",
    faded_over_its_length: "energy_curve",
    in_a_hall: "reverb",
    squashed: "dynamic_range",
    stretched_by_3_percent: "bpm_phase",
    all_beats_90_ms_late: "bpm_phase",
    verse_and_chorus_swapped: "section_boundaries",
    through_a_resonance_at_800_hz: "octave_balance",
    brighter_by_8_db: "octave_balance",
    hissing: "noise_floor",
    tuned_30_cents_up: "tuning",
    drums_stuttering: "onset_pattern",
    chords_by_square_waves: "timbre",
}

NOT_ALONE = {
    low_passed: "octave_balance",  # an octave that is gone is further from what it was than the whole spectrum is
    faded_over_its_length: "rms_per_section",  # sections at other levels are what a fade makes
    verse_and_chorus_swapped: "harmonic_progression",  # other chords at every moment of both sections
    drums_stuttering: "bpm_phase",  # on every other beat something else begins
    chords_by_square_waves: "noise_floor",  # what dies away is louder as a square
}
"""Defects that another dimension rightly hears more of."""


@pytest.fixture(scope="module")
def comparisons(
    song: Song, tmp_path_factory: pytest.TempPathFactory
) -> dict[Callable[[Song], Samples], Comparison]:
    folder = tmp_path_factory.mktemp("defects")
    return {
        defect: compare(song.heard, write_samples(folder / "defect.wav", defect(song), song.sample_rate))
        for defect in DEFECTS
    }


@pytest.mark.parametrize(
    ("defect", "dimension"), DEFECTS.items(), ids=lambda part: getattr(part, "__name__", part)
)
def test_a_defect_lowers_its_own_dimension(
    comparisons: dict[Callable[[Song], Samples], Comparison],
    defect: Callable[[Song], Samples],
    dimension: str,
) -> None:
    assert comparisons[defect].scores[dimension] <= 100 - CLEARLY


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_a_defect_lowers_no_dimension_more_than_its_own(
    comparisons: dict[Callable[[Song], Samples], Comparison], defect: Callable[[Song], Samples]
) -> None:
    scores = comparisons[defect].scores
    lowest = min(DIMENSIONS, key=lambda dimension: scores[dimension])
    assert lowest == NOT_ALONE.get(defect, DEFECTS[defect])


def test_every_dimension_has_a_defect_of_its_own() -> None:
    assert set(DEFECTS.values()) == set(DIMENSIONS)


def test_a_song_is_wholly_like_itself(song: Song, demo_song: DemoSong) -> None:
    comparison = compare(song.heard, demo_song.mix)

    assert comparison.scores == dict.fromkeys(DIMENSIONS, 100.0)
    assert comparison.total == 100.0
    assert comparison.lag_s == 0


@pytest.mark.parametrize("delay_s", [0.023, -0.023])
def test_level_sample_rate_and_an_encoders_delay_are_no_defects(
    song: Song, tmp_path: Path, delay_s: float
) -> None:
    """23 ms is what an MP3 encoder and decoder come late together, and early if one compensates for both twice."""
    at_48_khz = soxr.resample(song.mix.T * 0.5, song.sample_rate, 48_000).T
    frames = round(abs(delay_s) * 48_000)
    moved = np.pad(at_48_khz, ((0, 0), (frames, 0))) if delay_s > 0 else at_48_khz[:, frames:]
    comparison = compare(song.heard, write_samples(tmp_path / "moved.wav", moved, 48_000))

    assert comparison.lag_s == pytest.approx(delay_s, abs=1 / 32_000)  # the rate that is compared at
    assert comparison.gain_db == pytest.approx(
        20 * np.log10(2), abs=0.1
    )  # EBU Tech 3341's tolerance of loudness
    assert comparison.differences["bpm_phase"].change == pytest.approx(1000 * delay_s, abs=1)
    for name, score in comparison.scores.items():
        assert score >= 90, name  # from there on nothing is heard
    assert comparison.accepted


def test_the_worse_a_defect_the_lower_its_dimension(song: Song, tmp_path: Path) -> None:
    widths = []
    for width in (1.0, 0.7, 0.4, 0.1):
        mid, side = song.mix.mean(axis=0), width * (song.mix[0] - song.mix[1]) / 2
        narrowed = write_samples(
            tmp_path / "narrowed.wav", np.stack((mid + side, mid - side)), song.sample_rate
        )
        widths.append(compare(song.heard, narrowed).scores["stereo_width"])

    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == len(widths)

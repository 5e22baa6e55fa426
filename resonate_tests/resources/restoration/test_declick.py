from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.declick import Declick
from resonate_resources.restoration.step import Facts, Mended
from resonate_tests.benchmarks.damage.clipping import crackling, glitching, scratched
from resonate_tests.benchmarks.damage.distance import log_spectral_distance, si_sdr_db
from resonate_tests.resources.restoration.test_declip import CHANCE, RATE, TRACES, chords


def music(seconds: float = 3, rate: int = RATE) -> Samples:
    """Chords with breath, noise 60 dB under their peaks."""
    clean = chords(seconds, rate)
    return clean + CHANCE(9).normal(0, 0.001, clean.shape).astype(np.float32)


def mend(
    folder: Path, samples: Samples, rate: int = RATE, preset: str = "balanced", clicks: float | None = None
) -> tuple[Mended, Recording]:
    recording = write_samples(folder / "in.wav", samples, rate)
    facts = Facts("other", TRACES, clicks_per_s=clicks)
    return Declick().mend(recording, facts, preset, folder / "out.wav", silent), recording  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("damage", "size", "gain_db"), [(scratched, 6, 3), (crackling, 80, 1), (glitching, 20, 2)]
)
def test_clicks_crackle_and_glitches_go(tmp_path: Path, damage: object, size: float, gain_db: float) -> None:
    clean = music()
    damaged = damage(clean, RATE, CHANCE(0), size)  # type: ignore[operator]
    out = mend(tmp_path, damaged)[0].recording.read()

    assert si_sdr_db(out, clean) > si_sdr_db(damaged, clean) + gain_db
    assert log_spectral_distance(out, clean, RATE) < log_spectral_distance(damaged, clean, RATE)


def test_away_from_clicks_no_sample_changes(tmp_path: Path) -> None:
    clean = music()
    damaged = clean.copy()
    places = np.arange(16_000, 120_000, 11_025)  # between the chords, and not in time
    places += CHANCE(3).integers(0, 800, len(places))
    damaged[:, places] += 0.7
    out = mend(tmp_path, damaged)[0].recording.read()

    near = np.abs(np.arange(clean.shape[1])[:, None] - places).min(axis=1) < 0.003 * RATE
    assert np.array_equal(out[:, ~near], damaged[:, ~near])
    assert np.abs(out - clean)[:, near].max() < 0.05


def test_clean_music_is_the_very_recording(tmp_path: Path) -> None:
    mended, recording = mend(tmp_path, music(), preset="aggressive")
    assert mended.recording is recording and not (tmp_path / "out.wav").exists()


def test_clicks_that_keep_time_are_played(tmp_path: Path) -> None:
    """The same two samples every eighth of a second, as in glitch music; at chance times they go."""
    clean = music(6)
    at_chance = np.sort(np.random.default_rng(2).uniform(0.1, 5.9, 47))
    left = []
    for number, times in enumerate((np.arange(0.1, 5.9, 0.125), at_chance)):
        clicking = clean.copy()
        for second in times:
            clicking[:, round(second * RATE) : round(second * RATE) + 2] += np.float32([0.6, -0.6])
        folder = tmp_path / str(number)
        folder.mkdir()
        recording = write_samples(folder / "in.wav", clicking, RATE)
        made = Declick().mend(recording, Facts("other", TRACES), "balanced", folder / "out.wav", silent)
        left.append(made.recording == recording)
    assert left == [True, False]


def test_a_rate_that_is_known_is_not_measured_again(tmp_path: Path) -> None:
    damaged = scratched(music(), RATE, CHANCE(0), 3)
    mended, recording = mend(tmp_path, damaged, clicks=0.0)
    assert mended.recording is recording
    assert mend(tmp_path, damaged, clicks=3.0)[0].recording != recording


@pytest.mark.parametrize("rate", [16_000, 22_050, 96_000])
def test_any_rate_keeps_its_shape_and_loses_its_clicks(tmp_path: Path, rate: int) -> None:
    clean = music(2, rate)
    damaged = scratched(clean, rate, CHANCE(1), 20)
    mended, recording = mend(tmp_path, damaged, rate)

    out = mended.recording
    assert (out.sample_rate, out.channels, out.frames) == (rate, 2, recording.frames)
    assert si_sdr_db(out.read(), clean) > si_sdr_db(damaged, clean) + 2


@pytest.mark.parametrize("frames", [0, 1, 100, 5000])
def test_silence_and_nearly_nothing_stay(tmp_path: Path, frames: int) -> None:
    for level in (0.0, 1.0):
        samples = np.full((2, frames), level, np.float32)
        mended, recording = mend(tmp_path, samples)
        assert mended.recording is recording
        assert np.array_equal(mend(tmp_path, samples, clicks=9.0)[0].recording.read(), samples)

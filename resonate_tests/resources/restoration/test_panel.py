from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.restoration.panel import WINDOW_S, judge, spliced
from resonate_resources.restoration.step import StepName
from resonate_tests.resources.restoration.sounds import struck_notes

RATE = 44_100
WINDOW = round(WINDOW_S * RATE)


def music(seconds: float = 10, channels: int = 2) -> Samples:
    return struck_notes(seconds, channels, RATE, a_second=4, lowest_hz=220, partials=11, decay_hz=12, seed=6)


def noise(samples: Samples, level: float) -> Samples:
    return (level * np.random.default_rng(7).standard_normal(samples.shape)).astype(np.float32)


def written(folder: Path, name: str, samples: Samples) -> Recording:
    return write_samples(folder / f"{name}.wav", samples.astype(np.float32), RATE)


def lows(samples: Samples, hertz: float) -> Samples:
    return np.asarray(sosfilt(butter(8, hertz, fs=RATE, output="sos"), samples), np.float32)


@pytest.fixture
def clean() -> Samples:
    return music()


def test_noise_that_is_taken_off_stays_off(tmp_path: Path, clean: Samples) -> None:
    before = written(tmp_path, "before", clean + noise(clean, 0.01))
    after = written(tmp_path, "after", clean + noise(clean, 0.002))

    verdict = judge(before, after, "denoise")

    assert verdict.kept_part == 1
    assert verdict.after["floor_db"] < verdict.before["floor_db"] - 10
    assert spliced(before, after, verdict, tmp_path / "out.wav") is after


@pytest.mark.parametrize(
    "step", ["denoise", "dehum", "dewow", "dereverb", "decomb", "deshimmer", "declick", "deess", "extend"]
)
def test_added_noise_is_no_step_forward_whatever_it_is_called(
    tmp_path: Path, clean: Samples, step: StepName
) -> None:
    before = written(tmp_path, "before", clean)
    after = written(tmp_path, "after", clean + noise(clean, 0.02))

    verdict = judge(before, after, step)

    assert verdict.kept_part == 0
    assert verdict.reasons
    assert spliced(before, after, verdict, tmp_path / "out.wav") is before


def test_noise_reduction_that_takes_the_music_s_attacks_is_taken_back(tmp_path: Path, clean: Samples) -> None:
    before = written(tmp_path, "before", clean + noise(clean, 0.01))
    swell = np.minimum(1, np.arange(clean.shape[1]) % (RATE // 4) / (RATE // 8))
    after = written(tmp_path, "after", (clean + noise(clean, 0.002)) * swell**2)

    assert judge(before, after, "denoise").kept_part == 0


def test_hum_that_goes_is_kept_and_hum_that_takes_the_highs_along_is_not(
    tmp_path: Path, clean: Samples
) -> None:
    time = np.arange(clean.shape[1]) / RATE
    hum = sum(0.03 * np.sin(2 * np.pi * 50 * partial * time) for partial in range(1, 7))
    before = written(tmp_path, "before", clean + hum)

    assert judge(before, written(tmp_path, "good", clean), "dehum").kept_part == 1
    assert judge(before, written(tmp_path, "dull", lows(clean, 3000)), "dehum").kept_part == 0


def test_what_fails_in_one_stretch_is_the_very_input_there(tmp_path: Path) -> None:
    clean = music(20)
    before = written(tmp_path, "before", clean + noise(clean, 0.01))
    better = clean + noise(clean, 0.002)
    better[:, WINDOW : 2 * WINDOW] = (clean + noise(clean, 0.03))[:, WINDOW : 2 * WINDOW]
    after = written(tmp_path, "after", better)

    verdict = judge(before, after, "denoise")
    made = spliced(before, after, verdict, tmp_path / "out.wav")

    assert [bool(why) for why in verdict.failed] == [False, True, False, False]
    was, now, out = before.read(), after.read(), made.read()
    assert out.shape == was.shape
    fade = round(0.05 * RATE)
    assert np.array_equal(out[:, WINDOW : 2 * WINDOW], was[:, WINDOW : 2 * WINDOW])
    assert np.array_equal(out[:, : WINDOW - fade], now[:, : WINDOW - fade])
    assert np.array_equal(out[:, 2 * WINDOW + fade :], now[:, 2 * WINDOW + fade :])
    # Across the seam it steps no further than either did.
    seam = slice(2 * WINDOW - 2, 2 * WINDOW + fade + 2)
    steps = [np.abs(np.diff(each[:, seam])).max() for each in (was, now, out)]
    assert steps[2] <= 1.1 * max(steps[:2])


def test_a_stretch_of_noise_alone_goes_the_way_of_the_rest(tmp_path: Path) -> None:
    clean = music(15)
    clean[:, :WINDOW] = 0
    before = written(tmp_path, "before", clean + noise(clean, 0.01))
    after = written(tmp_path, "after", clean + noise(clean, 0.002))
    assert judge(before, after, "denoise").kept_part == 1
    alone = noise(clean, 0.01)
    before, after = written(tmp_path, "rain", alone), written(tmp_path, "less", alone * np.float32(0.2))
    assert judge(before, after, "denoise").kept_part == 0


def test_tones_that_are_taken_for_noise_come_back(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    rng = np.random.default_rng(0)
    pad = sum(np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6)) for hertz in rng.uniform(200, 4000, 300))
    clean = music()
    before = written(tmp_path, "before", clean + (0.001 * pad).astype(np.float32))
    verdict = judge(before, written(tmp_path, "after", clean), "denoise")
    assert verdict.kept_part == 0
    assert "what was taken has tones" in verdict.reasons


def test_a_few_samples_elsewhere_undo_nothing(tmp_path: Path) -> None:
    """Of three stretches that change, one is mended, and two move by a sample, which helps nobody."""
    clean = music(15) * np.float32(2)
    clipped = clean.copy()
    level = np.float32(0.8 * np.abs(clean).max())
    clipped[:, :WINDOW] = np.clip(clean[:, :WINDOW], -level, level)
    mended = clean.copy()
    mended[:, WINDOW + 100] += np.float32(0.001)
    mended[:, 2 * WINDOW + 100] += np.float32(0.001)
    before, after = written(tmp_path, "before", clipped), written(tmp_path, "after", mended)
    verdict = judge(before, after, "declip")
    assert [bool(why) for why in verdict.failed] == [False, True, True]


def test_a_step_that_changed_nothing_keeps_the_recording(tmp_path: Path, clean: Samples) -> None:
    before, after = written(tmp_path, "before", clean), written(tmp_path, "after", clean)

    assert spliced(before, after, judge(before, after, "tone"), tmp_path / "out.wav") is before


@pytest.mark.parametrize("frames", [0, 1, 1000, WINDOW + 1])
def test_short_ones_and_silence_have_a_verdict(tmp_path: Path, frames: int) -> None:
    silence = np.zeros((1, frames), np.float32)
    before, after = (
        written(tmp_path, "before", silence),
        written(tmp_path, "after", silence + np.float32(1e-3)),
    )

    verdict = judge(before, after, "denoise")

    assert spliced(before, after, verdict, tmp_path / "out.wav") is before


def test_what_is_no_number_is_taken_back(tmp_path: Path, clean: Samples) -> None:
    broken = clean.copy()
    broken[0, 100] = np.nan
    before, after = written(tmp_path, "before", clean), written(tmp_path, "after", broken)

    assert "it is no sound" in judge(before, after, "polish").reasons

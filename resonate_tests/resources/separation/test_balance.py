import math

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_resources.separation.balance import measure_balance


def _tone(amplitude: float, frames: int = 44100) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 441 * np.arange(frames) / 44100)).astype(np.float32)[None]


def test_levels_are_rms_re_full_scale_and_the_null_depth_is_what_the_stems_leave_of_the_mix(tmp_path):
    mix = write_samples(tmp_path / "mix.wav", _tone(1.0), 44100)
    stems = {
        "vocals": write_samples(tmp_path / "vocals.wav", _tone(0.9), 44100),
        "other": write_samples(tmp_path / "other.wav", _tone(0.09), 44100),
        "bass": write_samples(tmp_path / "bass.wav", _tone(0.0), 44100),
    }
    balance = measure_balance(mix, stems)
    assert balance.null_depth_db == pytest.approx(-40, abs=0.01)  # a hundredth is left
    assert balance.level_dbfs["vocals"] == pytest.approx(20 * math.log10(0.9) - 3.01, abs=0.01)
    assert balance.level_dbfs["bass"] == -math.inf


def test_stems_of_silence_null_completely(tmp_path):
    silence = write_samples(tmp_path / "mix.wav", np.zeros((2, 100), np.float32), 8000)
    assert measure_balance(silence, {"other": silence}).null_depth_db == -math.inf

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from resonate_tests.benchmarks.defects import tuning
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, noise, pitch_hz, tone


def cents(hertz: float, reference: float) -> float:
    return float(1200 * np.log2(hertz / reference))


@pytest.mark.parametrize("size", [10, 50])
def test_what_is_detuned_is_higher_by_its_cents_and_drums_stay(size: int) -> None:
    stems = {"other": tone(6, 440), "drums": noise(6) * 0.1}
    made = tuning.detuned(excerpt(stems), size)
    assert made is not None
    sounding = (made - stems["drums"])[:, RATE:-RATE]

    assert cents(pitch_hz(sounding), 440) == pytest.approx(size, abs=1)


def test_one_stem_alone_is_detuned() -> None:
    stems = {"other": tone(6, 440), "vocals": tone(6, 1000)}
    made = tuning.detuned(excerpt(stems), 50, "vocals")
    assert made is not None

    assert cents(pitch_hz((made - stems["other"])[:, RATE:-RATE]), 1000) == pytest.approx(50, abs=1)
    assert tuning.detuned(excerpt(stems), 50, "bass") is None


def test_a_fast_tape_is_higher_and_shorter() -> None:
    song = excerpt(tone(6, 440))
    made = tuning.played_fast(song, 50)

    assert cents(pitch_hz(made[:, RATE:-RATE]), 440) == pytest.approx(50, abs=0.5)
    assert made.shape[1] / song.frames == pytest.approx(2 ** (-50 / 1200), rel=1e-3)


@pytest.mark.parametrize(("defect", "turns_hz"), [(tuning.wowing, 100 / 180), (tuning.fluttering, 6.0)])
def test_speed_moves_by_its_depth_at_its_rate(defect: object, turns_hz: float) -> None:
    assert callable(defect)
    made = defect(excerpt(tone(20, 3000)), 0.005)[0]
    phase = np.unwrap(np.angle(signal.hilbert(made)))
    speed = np.diff(phase)[RATE:-RATE] * RATE / (2 * np.pi) / 3000 - 1
    lines = np.abs(np.fft.rfft(speed - speed.mean())) * 2 / len(speed)
    hertz = np.fft.rfftfreq(len(speed), 1 / RATE)
    strongest = np.argmax(np.where(hertz < 20, lines, 0))

    assert hertz[strongest] == pytest.approx(turns_hz, abs=0.06)
    assert lines[strongest] == pytest.approx(0.005, rel=0.2)  # some of it falls between two lines

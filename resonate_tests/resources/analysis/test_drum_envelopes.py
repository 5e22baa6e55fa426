"""Envelopes of drums that are made by formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.analysis.drum_envelopes import (
    LISTENING,
    POINTS,
    RATE,
    envelope_of,
    hear_drum_envelopes,
    levels,
)
from resonate_resources.recordings.recording import write_samples

SAMPLE_RATE = 44_100
BAR_S = 2.0


def fading(seconds: float, decay_s: float) -> np.ndarray:
    """An amplitude that falls by 20 dB in decay_s."""
    return 10 ** (-np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE / decay_s)


def kick(decay_s: float) -> np.ndarray:
    time = np.arange(round(0.8 * SAMPLE_RATE)) / SAMPLE_RATE
    return 0.8 * np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.033)))) * fading(0.8, decay_s)


def hiss(decay_s: float, rng: np.random.Generator, steps: int = 0) -> np.ndarray:
    """White noise, or with steps such as has only highs left."""
    noise = np.diff(rng.standard_normal(round(0.4 * SAMPLE_RATE) + steps), n=steps)
    return noise / noise.std() * fading(0.4, decay_s)


def beat(bars: int, kick_s: float, snare_s: float, hat_s: float) -> np.ndarray:
    """120 BPM: kick on one and three, snare on two and four, hats on quavers."""
    rng = np.random.default_rng(3)
    out = np.zeros(round((bars * BAR_S + 1) * SAMPLE_RATE))
    for bar in range(bars):
        struck = [(beat_s, kick(kick_s)) for beat_s in (0.0, 1.0)]
        struck += [(beat_s, 0.25 * hiss(snare_s, rng)) for beat_s in (0.5, 1.5)]
        struck += [(0.25 * quaver, 0.06 * hiss(hat_s, rng, 2)) for quaver in range(8)]
        for second, sound in struck:
            start = round((0.1 + bar * BAR_S + second) * SAMPLE_RATE)
            out[start : start + len(sound)] += sound
    return out


@pytest.mark.parametrize(("kick_s", "snare_s", "hat_s"), [(0.2, 0.12, 0.05), (0.35, 0.2, 0.08)])
def test_each_drum_of_a_beat_dies_away_as_it_was_made_to(
    kick_s: float, snare_s: float, hat_s: float, tmp_path: Path
) -> None:
    audio = beat(8, kick_s, snare_s, hat_s)[np.newaxis].astype(np.float32)
    found = hear_drum_envelopes(write_samples(tmp_path / "drums.wav", audio, SAMPLE_RATE))
    for drum, decay_s in (("kick", kick_s), ("snare", snare_s), ("closed hat", hat_s)):
        assert found[drum].decay_s == pytest.approx(decay_s, rel=0.2), drum
        assert found[drum].attack_s < 0.01, drum
        assert found[drum].sustain_db is None
        assert found[drum].release_s is None
        assert found[drum].confidence > 0.4


@pytest.mark.parametrize("attack_s", [0.03, 0.06])
def test_a_slow_attack_is_told_as_long_as_it_is(attack_s: float) -> None:
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    rise = np.clip(time / attack_s, 0, 1)
    fall = 10 ** (-np.clip(time - attack_s, 0, None) / 0.2)
    audio = np.tile(rise * fall * np.sin(2 * np.pi * 3000 * time), 10).astype(np.float32)
    level = levels([audio], ["snare"])["snare"]
    strokes = np.arange(10) * RATE // 2
    peaks = strokes + round((attack_s - 0.01) * RATE)
    found = envelope_of(level, peaks, peaks, own_rise_s=0.0)
    assert found is not None
    # A straight line takes 0.8 of its length from 10 to 90 %.
    assert found.attack_s == pytest.approx(0.8 * attack_s, abs=0.006)
    assert found.decay_s == pytest.approx(0.2, rel=0.1)


def test_levels_are_in_step_with_the_frames_that_strokes_are_told_in() -> None:
    audio = np.zeros(2 * SAMPLE_RATE, np.float32)
    audio[SAMPLE_RATE : SAMPLE_RATE + 400] = 0.5 * np.sin(2 * np.pi * 9000 * np.arange(400) / SAMPLE_RATE)
    level = levels(np.array_split(audio, 7), ["closed hat"])["closed hat"]
    assert len(level) == 2 * RATE
    assert abs(int(level.argmax()) - 100 * POINTS) <= POINTS


def test_what_is_cut_off_by_another_drum_before_it_has_fallen_is_not_told() -> None:
    level = np.full(10 * RATE, -80.0)
    strokes = np.arange(9) * RATE
    for stroke in strokes.tolist():
        level[stroke : stroke + RATE // 10] = -10 - np.arange(RATE // 10) * 5 / (RATE // 10)
    followed = np.sort(np.concatenate([strokes, strokes + RATE // 10]))
    assert envelope_of(level, strokes + 2, followed + 2, 0.0) is None


def test_nobody_who_drums_has_no_envelopes(tmp_path: Path) -> None:
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    for number, audio in enumerate([0 * time, 0.3 * np.sin(2 * np.pi * 220 * time), np.zeros(0)]):
        stem = write_samples(tmp_path / f"{number}.wav", audio[np.newaxis].astype(np.float32), SAMPLE_RATE)
        assert hear_drum_envelopes(stem) == {}


def test_every_drum_that_is_heard_has_a_band_to_be_listened_to_in() -> None:
    from resonate_resources.signal.drum_network import DRUMS

    assert set(LISTENING) == set(DRUMS)
    assert all(set(each.others) <= set(DRUMS) for each in LISTENING.values())

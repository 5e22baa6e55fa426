from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.excitation import SubBass

RATE = 44_100


def tone(hz: float, seconds: float = 2, channels: int = 1) -> Samples:
    """A sine of amplitude 0.5."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.tile((0.5 * np.sin(2 * np.pi * hz * time)).astype(np.float32), (channels, 1))


def level_db(samples: Samples, hz: float) -> float:
    """Of the partial at hz, 1 Hz wide, against full scale; from the second second."""
    second = samples[0, RATE : 2 * RATE].astype(np.float64)
    return float(
        20 * np.log10(2 * np.abs(np.fft.rfft(second * np.hanning(RATE)))[round(hz)] / (RATE / 2) + 1e-12)
    )


def test_a_low_tone_gets_the_octave_under_it() -> None:
    for hz in (90, 110, 140):
        added = SubBass(RATE).process(tone(hz))
        assert level_db(added, hz / 2) == pytest.approx(level_db(tone(hz), hz), abs=3)
        assert level_db(added, hz) < level_db(added, hz / 2) - 20


@pytest.mark.parametrize("hz", [30, 400, 2_000])
def test_tones_outside_80_to_200_hz_get_no_octave_under_them(hz: int) -> None:
    added = SubBass(RATE).process(tone(hz))

    assert level_db(added, hz / 2) < level_db(tone(hz), hz) - 20


@settings(max_examples=20)
@given(cuts=st.sets(st.integers(1, RATE // 2 - 1), max_size=6), seed=st.integers(0, 99))
def test_the_result_does_not_depend_on_how_the_recording_is_cut_into_blocks(
    cuts: set[int], seed: int
) -> None:
    samples = np.random.default_rng(seed).standard_normal((2, RATE // 2)).astype(np.float32) * 0.1
    whole, part = SubBass(RATE), SubBass(RATE)
    blocks = [part.process(block) for block in np.split(samples, sorted(cuts), axis=1)]
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), whole.process(samples), atol=1e-5)


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, RATE), np.float32)

    assert not SubBass(RATE).process(silence).any()

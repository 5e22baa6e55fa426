from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.excitation import Exciter, SubBass

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


@pytest.mark.parametrize(("hz", "upper_hz"), [(2_500, 3_400), (5_000, 8_000), (6_000, 10_000)])
def test_a_tone_in_the_octave_under_the_edge_gets_its_octave(hz: int, upper_hz: int) -> None:
    added = Exciter(RATE, 1, upper_hz).process(tone(hz))

    assert np.abs(np.fft.rfft(added[0, RATE:])).argmax() == 2 * hz
    # The octave of a rectified sine is 4/3π of it, that of a squared one divided by its mean π/4; then a fall of
    # 6 dB/octave from upper_hz, and a 6th-order Butterworth high-pass at upper_hz.
    filters = -10 * np.log10((1 + (2 * hz / upper_hz) ** 2) * (1 + (upper_hz / (2 * hz)) ** 12))
    least, most = (20 * np.log10(octave) + filters for octave in (4 / (3 * np.pi), np.pi / 4))
    assert (
        least - 2 < level_db(added, 2 * hz) - level_db(tone(hz), hz) < most
    )  # 2 dB: bilinear filters near Nyquist


@settings(max_examples=20)
@given(upper_hz=st.floats(1_000, 15_000), seed=st.integers(0, 99))
def test_nothing_is_added_where_the_original_is(upper_hz: float, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal((1, RATE)).astype(np.float32) * 0.1
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(RATE, 1 / RATE)
    spectrum[:, hz > upper_hz] = 0
    original = np.fft.irfft(spectrum, RATE).astype(np.float32)

    added = np.abs(np.fft.rfft(Exciter(RATE, 1, upper_hz).process(original))) ** 2

    below = added[:, hz < upper_hz / 2**0.5].sum()
    # Butterworth, 6th order: −18 dB half an octave under its edge, −36 dB an octave under it.
    assert 10 * np.log10(below / np.sum(np.abs(np.fft.rfft(original)) ** 2)) < -30


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
    for make in (lambda: Exciter(RATE, 2, 6_000), lambda: SubBass(RATE)):
        whole, part = make(), make()
        blocks = [part.process(block) for block in np.split(samples, sorted(cuts), axis=1)]
        np.testing.assert_allclose(np.concatenate(blocks, axis=1), whole.process(samples), atol=1e-5)


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, RATE), np.float32)

    assert not Exciter(RATE, 2, 8_000).process(silence).any()
    assert not SubBass(RATE).process(silence).any()

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.separation.spectral.stft import Stft


@settings(max_examples=60)
@given(
    frames=st.integers(1, 20_000),
    channels=st.integers(1, 3),
    rate=st.sampled_from([8000, 22050, 44100, 96000]),
)
def test_the_inverse_gives_back_what_was_transformed(frames, channels, rate):
    samples = np.random.default_rng(frames).uniform(-1, 1, (channels, frames)).astype(np.float32)
    stft = Stft.for_rate(rate)
    assert np.abs(stft.inverse(stft.forward(samples), frames) - samples).max() < 1e-6


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 32000, 44100, 48000, 88200, 96000, 192000])
def test_bins_are_as_far_apart_at_every_rate(rate):
    # One tenth: bins stay within a tenth of a semitone of each other up to the sixth bin, where bass notes lie.
    assert rate / Stft.for_rate(rate).size == pytest.approx(44100 / 4096, rel=0.1)


def test_a_tone_stands_in_the_bin_of_its_frequency_at_the_time_that_it_sounds():
    stft = Stft(4096)
    rate = 44100
    samples = np.zeros((1, 2 * rate), np.float32)
    samples[0, rate:] = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    power = np.abs(stft.forward(samples)[0])
    assert power[-20].argmax() == round(1000 * 4096 / rate)
    heard = power.max(1) > power.max() / 2
    assert heard.argmax() == pytest.approx(rate / stft.hop + 1, abs=1)  # time k is centred on (k − 1) hops

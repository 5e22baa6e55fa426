"""Against torch's own layers, and against what filters and sines are known to do."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.regeneration.cloning.ddsp.candidates import read_decoder
from resonate_resources.regeneration.cloning.ddsp.decoder import harmonics, noise

torch = pytest.importorskip("torch")

from resonate_tests.resources.regeneration.cloning.ddsp.peer import MEAN, RATE, STD, Peer, save  # noqa: E402


@pytest.fixture
def peer():
    torch.manual_seed(0)
    return Peer()


def test_controls_are_those_of_torchs_layers(peer, tmp_path):
    decoder = read_decoder(save(peer, tmp_path / "flute"))
    rng = np.random.default_rng(1)
    pitch, loudness = rng.uniform(60, 2000, 150), rng.normal(0, 1, 150)
    with torch.no_grad():
        expected = peer.controls(*(torch.from_numpy(one)[None, :, None] for one in (pitch, loudness)))
    for mine, its in zip(decoder.controls(pitch, loudness), expected, strict=True):
        np.testing.assert_allclose(mine, its[0].numpy(), rtol=1e-5, atol=1e-8)


def test_loudness_is_brought_to_the_scale_that_the_configuration_tells(peer, tmp_path):
    decoder = read_decoder(save(peer, tmp_path / "flute"))
    assert (decoder.mean_loudness, decoder.std_loudness, decoder.sample_rate) == (MEAN, STD, RATE)
    pitch = np.full(20, 220.0)
    played = decoder.play(pitch, np.full(20, MEAN + 2 * STD), np.random.default_rng(0))
    amplitudes, bands = decoder.controls(pitch, np.full(20, 2.0))
    expected = harmonics(pitch, amplitudes, RATE, 160) + noise(bands, 160, np.random.default_rng(0))
    np.testing.assert_array_equal(played, expected)


def test_harmonics_sound_at_multiples_of_the_pitch_with_their_amplitudes():
    amplitudes = np.tile([0.5, 0.0, 0.25], (100, 1))
    spectrum = np.abs(np.fft.rfft(harmonics(np.full(100, 500.0), amplitudes, 16_000, 160))) / 8000
    assert spectrum[500] == pytest.approx(0.5, rel=1e-6)
    assert spectrum[1500] == pytest.approx(0.25, rel=1e-6)
    assert np.delete(spectrum, [500, 1500]).max() < 1e-9


def test_noise_of_each_frame_goes_through_the_filter_that_its_gains_make():
    gains = np.random.default_rng(1).uniform(0, 1, (4, 65))
    white = np.random.default_rng(0).uniform(-1, 1, (4, 160))
    response = torch.roll(torch.fft.irfft(torch.from_numpy(gains) + 0j), 64, -1)
    response = torch.nn.functional.pad(response * torch.hann_window(128, dtype=torch.float64), (0, 32))
    response = torch.roll(response, -64, -1).numpy()
    expected = [np.convolve(one, of)[:160] for one, of in zip(white, response, strict=True)]
    made = noise(gains, 160, np.random.default_rng(0))
    np.testing.assert_allclose(made, np.concatenate(expected), atol=1e-12)


def test_its_room_begins_with_the_direct_sound_and_dies_away(peer, tmp_path):
    response = read_decoder(save(peer, tmp_path / "flute")).reverberation()
    seconds = np.arange(800) / RATE
    noise_of = peer.reverb.noise.detach().numpy().ravel()
    rate = np.log1p(np.exp(-4.0)) * 500  # softplus of minus the decay
    expected = noise_of * np.exp(-rate * seconds) / (1 + np.exp(1.0))
    assert response[0] == 1
    np.testing.assert_allclose(response[1:], expected[1:], rtol=1e-5, atol=1e-9)

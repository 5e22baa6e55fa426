import numpy as np
import pytest

from resonate_resources.separation.spectral.stft import Stft
from resonate_resources.separation.spectral.wiener import filtered


def _two_players() -> tuple[np.ndarray, np.ndarray]:
    """Noise half left and noise half right: (stems, channels, frames)."""
    rng = np.random.default_rng(4)
    left, right = rng.standard_normal((2, 40_000)).astype(np.float32)
    return np.stack([left, 0.3 * left]), np.stack([0.3 * right, right])


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_stems_sum_to_the_mix_whatever_the_masks(channels):
    rng = np.random.default_rng(5)
    spectra = Stft(512).forward(rng.standard_normal((channels, 5000)).astype(np.float32))
    masks = rng.dirichlet([0.2] * 4, spectra.shape[1:]).transpose(2, 0, 1).astype(np.float32)
    total = sum(filtered(spectra, masks))
    assert np.abs(total - spectra).max() < 1e-3 * np.abs(spectra).max()


def test_in_stereo_players_who_sit_apart_are_parted_better_than_by_masks_alone():
    stft = Stft(1024)
    players = _two_players()
    mix = stft.forward(players[0] + players[1])
    powers = np.stack([np.square(np.abs(stft.forward(player))).sum(0) for player in players])
    masks = powers / powers.sum(0)

    def error(spectra):
        return np.square(stft.inverse(spectra, players[0].shape[1]) - players[0]).mean()

    assert error(next(filtered(mix, masks))) < error(mix * masks[0])


@pytest.mark.parametrize("turn", [-1, 1j])
def test_a_turned_channel_gives_the_same_stems_with_that_channel_turned(turn):
    stft = Stft(1024)
    players = _two_players()
    mix = stft.forward(players[0] + players[1])
    powers = np.stack([np.square(np.abs(stft.forward(player))).sum(0) for player in players])
    by = np.array([1, turn], np.complex64)[:, None, None]
    for plain, turned in zip(*(filtered(m, powers / powers.sum(0)) for m in (mix, mix * by)), strict=True):
        np.testing.assert_allclose(turned, plain * by, atol=1e-4 * np.abs(mix).max())


def test_digital_silence_stays_silent():
    spectra = np.zeros((2, 5, 9), np.complex64)
    for stem in filtered(spectra, np.full((4, 5, 9), 0.25, np.float32)):
        assert not stem.any()

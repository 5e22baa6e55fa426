"""DDSP's decoder (Engel et al., ICLR 2020, arXiv 2001.04643): pitch and loudness to harmonics and filtered noise.

In the arrangement of acids-ircam/ddsp_pytorch, in numpy: three million multiplications a frame need no more. Frames
are `block` samples long. Arrays are float64 but for weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.signal.mono import Mono

Array = npt.NDArray[Any]

_EPSILON = 1e-5  # of torch.nn.LayerNorm
_SLOPE = 0.01  # of torch.nn.LeakyReLU
_QUIETER = 5.0  # noise begins quiet, so that harmonics are learned first
_ABOVE_NYQUIST = 1e-4  # what is left of harmonics there
_LEAST = 1e-7
_REVERB_TIME = 500.0


@dataclass(frozen=True)
class Decoder:
    """weights: by the names of ddsp_pytorch's `state.pth`. sample_rate in Hz. mean_loudness, std_loudness: of what
    it was trained on, by which loudness is brought to scale."""

    weights: Mapping[str, Array]
    sample_rate: int
    block: int
    mean_loudness: float
    std_loudness: float

    def play(self, pitch: Array, loudness: Array, rng: np.random.Generator) -> Array:
        """Samples of (frames,) pitch in Hz and loudness as `conditions.loudness_of` has it, without its room."""
        amplitudes, bands = self.controls(pitch, (loudness - self.mean_loudness) / self.std_loudness)
        return harmonics(pitch, amplitudes, self.sample_rate, self.block) + noise(bands, self.block, rng)

    def controls(self, pitch: Array, loudness: Array) -> tuple[Array, Array]:
        """Amplitudes of harmonics, (frames, harmonics), and gains of bands of noise. loudness: to scale."""
        given = np.stack([pitch, loudness], axis=1)
        heard = [self._layers(f"in_mlps.{number}", given[:, number : number + 1]) for number in range(2)]
        hidden = np.concatenate([self._gru(np.concatenate(heard, axis=1)), given], axis=1)
        hidden = self._layers("out_mlp", hidden)
        total, shares = np.split(_scaled(self._linear("proj_matrices.0", hidden)), [1], axis=1)
        numbers = np.arange(1, shares.shape[1] + 1)
        shares = shares * ((pitch[:, None] * numbers < self.sample_rate / 2) + _ABOVE_NYQUIST)
        amplitudes = total * shares / shares.sum(axis=1, keepdims=True)
        return amplitudes, _scaled(self._linear("proj_matrices.1", hidden) - _QUIETER)

    def reverberation(self) -> Array:
        """The impulse response that it learned of its room, direct sound first; (1,) where it has none."""
        if "reverb.noise" not in self.weights:
            return np.ones(1)
        decay, wet = (float(self.weights[f"reverb.{name}"]) for name in ("decay", "wet"))
        tail = self.weights["reverb.noise"].ravel().astype(np.float64)
        seconds = np.arange(tail.size) / self.sample_rate
        dying = np.exp(-np.logaddexp(0, -decay) * seconds * _REVERB_TIME)
        response: Array = tail * dying * _sigmoid(np.array(wet))
        response[0] = 1
        return response

    def _linear(self, name: str, given: Array) -> Array:
        return given @ self.weights[f"{name}.weight"].T.astype(np.float64) + self.weights[f"{name}.bias"]

    def _layers(self, name: str, given: Array) -> Array:
        """Three times linear, normalised, rectified."""
        for number in (0, 3, 6):
            given = self._linear(f"{name}.{number}", given)
            given = given - given.mean(axis=1, keepdims=True)
            given /= np.sqrt(np.square(given).mean(axis=1, keepdims=True) + _EPSILON)
            place = f"{name}.{number + 1}"
            given = given * self.weights[f"{place}.weight"] + self.weights[f"{place}.bias"]
            given = np.where(given > 0, given, _SLOPE * given)
        return given

    def _gru(self, given: Array) -> Array:
        """torch.nn.GRU, one layer, from silence: gates are reset, update, new."""
        into = given @ self.weights["gru.weight_ih_l0"].T.astype(np.float64) + self.weights["gru.bias_ih_l0"]
        inner = self.weights["gru.weight_hh_l0"].T.astype(np.float64)
        bias = self.weights["gru.bias_hh_l0"]
        size = inner.shape[0]
        state, states = np.zeros(size), np.empty((len(given), size))
        for frame, from_outside in enumerate(into):
            from_inside = state @ inner + bias
            gates = _sigmoid(from_outside[: 2 * size] + from_inside[: 2 * size])
            reset, update = gates[:size], gates[size:]
            new = np.tanh(from_outside[2 * size :] + reset * from_inside[2 * size :])
            state = states[frame] = (1 - update) * new + update * state
        return states


def harmonics(pitch: Array, amplitudes: Array, sample_rate: int, block: int) -> Array:
    """(frames × block,) samples: sines at multiples of the pitch in Hz from phase zero. A frame's values hold."""
    phase = np.cumsum(np.repeat(2 * np.pi * pitch / sample_rate, block))
    samples = np.zeros(phase.size)
    for number, of_frames in enumerate(amplitudes.T, start=1):
        if of_frames.max() > _LEAST:
            samples += np.repeat(of_frames, block) * np.sin(number * phase)
    return samples


def noise(bands: Array, block: int, rng: np.random.Generator) -> Array:
    """(frames × block,) samples: in each frame white noise −1…1 through a filter of these gains, 0 Hz first, which
    ddsp_pytorch cuts at the frame's ends: what was trained has learned to live with that."""
    white = rng.uniform(-1, 1, (len(bands), block))
    response = np.fft.irfft(bands)
    size = response.shape[1]
    response = np.roll(response, size // 2, axis=1) * np.hanning(size + 1)[:-1]  # periodic, as torch's
    response = np.roll(np.pad(response, ((0, 0), (0, block - size))), -(size // 2), axis=1)
    spectrum = np.fft.rfft(white, 2 * block) * np.fft.rfft(response, 2 * block)
    return np.fft.irfft(spectrum)[:, :block].ravel()


def in_its_room(samples: Mono, response: Array, frames: int) -> Mono:
    """The first frames of samples through an impulse response."""
    from scipy.signal import oaconvolve

    if response.size == 1:
        return samples[:frames]
    return np.asarray(oaconvolve(samples, response)[:frames], np.float32)


def _scaled(values: Array) -> Array:
    """ddsp's `exp_sigmoid`: above zero, up to 2."""
    scaled: Array = 2 * _sigmoid(values) ** np.log(10) + _LEAST
    return scaled


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))

"""Scale-invariant signal-to-distortion ratio (Le Roux et al., "SDR – half-baked or well done?", ICASSP 2019).

With α = ⟨ŝ,s⟩/‖s‖², SI-SDR = 10·log10(‖αs‖²/‖ŝ − αs‖²), after each channel's mean is removed. Channels are
taken as one long signal: one α, so a stem whose channels are out of balance is marked down.

Where the definition gives 0/0: an estimate that is silent, or has nothing of the reference in it, scores
-inf; so does any sound against a silent reference; a silent estimate of a silent reference is exact: +inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import AudioError, Recording, Samples

_ROUNDING = 1e-20  # what is left of a constant signal once its mean is removed: −200 dB

_Pairs = Iterable[tuple[Samples, Samples]]


def si_sdr(estimate: Samples, reference: Samples) -> float:
    """SI-SDR in dB of two arrays of one shape, (channels, frames). Raises ValueError where shapes differ."""
    if estimate.shape != reference.shape:
        raise ValueError(f"estimate {estimate.shape} and reference {reference.shape} differ in shape")
    return _si_sdr(lambda: [(estimate, reference)])


def measure_si_sdr(estimate: Recording, reference: Recording) -> float:
    """SI-SDR in dB of two recordings, read twice in blocks. Raises AudioError where rate or shape differ."""
    if (estimate.sample_rate, estimate.channels, estimate.frames) != (
        reference.sample_rate,
        reference.channels,
        reference.frames,
    ):
        raise AudioError(f"{estimate.path.name}: rate, channels or length differ from {reference.path.name}")

    def pairs() -> Iterator[tuple[Samples, Samples]]:
        return zip(estimate.blocks(), reference.blocks(), strict=True)

    return _si_sdr(pairs)


def _si_sdr(pairs: Callable[[], _Pairs]) -> float:
    """First pass: means and α. Second: the energies, which as differences of sums would drown in rounding."""
    frames, inner, estimate_power, reference_power = 0, 0.0, 0.0, 0.0
    estimate_sum = reference_sum = np.zeros((1, 1))
    for estimate, reference in _as_float64(pairs()):
        frames += estimate.shape[1]
        inner += float(np.vdot(estimate, reference))
        estimate_power += float(np.vdot(estimate, estimate))
        reference_power += float(np.vdot(reference, reference))
        estimate_sum = estimate_sum + estimate.sum(axis=1, keepdims=True)
        reference_sum = reference_sum + reference.sum(axis=1, keepdims=True)
    estimate_mean, reference_mean = estimate_sum / max(frames, 1), reference_sum / max(frames, 1)
    reference_variance = reference_power - float(np.vdot(reference_sum, reference_mean))
    covariance = inner - float(np.vdot(estimate_sum, reference_mean))
    alpha = covariance / reference_variance if reference_variance > 0 else 0.0

    residual, estimate_energy, reference_energy = 0.0, 0.0, 0.0
    for estimate, reference in _as_float64(pairs()):
        centred, target = estimate - estimate_mean, reference - reference_mean
        estimate_energy += float(np.vdot(centred, centred))
        reference_energy += float(np.vdot(target, target))
        distortion = centred - alpha * target
        residual += float(np.vdot(distortion, distortion))
    estimate_is_silent = estimate_energy <= _ROUNDING * estimate_power
    if reference_energy <= _ROUNDING * reference_power:
        return math.inf if estimate_is_silent else -math.inf
    if estimate_is_silent or alpha == 0:
        return -math.inf
    if residual == 0:
        return math.inf
    return 10 * math.log10(alpha**2 * reference_energy / residual)


def _as_float64(pairs: _Pairs) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    for estimate, reference in pairs:
        yield estimate.astype(np.float64), reference.astype(np.float64)

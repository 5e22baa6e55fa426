"""Which part of every time-frequency bin belongs to which stem."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.spectral.context import add_context
from resonate_resources.separation.spectral.cues import measure_cues
from resonate_resources.separation.spectral.network import MaskNetwork
from resonate_resources.separation.spectral.running import Plane
from resonate_resources.separation.spectral.stft import Spectra, Stft

_FILE = resources.files("resonate_resources.separation.spectral") / "masks.npz"
STEMS = ("vocals", "drums", "bass", "other")
PASSES = 2
"""The first pass goes by the mix alone, each further one also by the masks so far."""


def estimate_masks(
    samples: Samples, spectra: Spectra, stft: Stft, bin_hz: float, sung: Plane | None = None
) -> npt.NDArray[np.float32]:
    """Masks (stems, time, bins), 0…1, summing to one over STEMS.

    spectra (channels, time, bins) are the `stft` of samples (channels, frames), bins bin_hz apart. sung (time,
    bins): the share of voices, 0…1, where something that knows them better tells; the others share what it leaves.
    """
    first, *further = networks()
    cues = measure_cues(samples, spectra, stft, bin_hz)
    masks = _beside(sung, first.masks(cues, bin_hz))
    for network in further:
        masks = _beside(sung, network.masks(add_context(cues, masks, bin_hz), bin_hz))
    masks = _extended(masks, cues.magnitude, spectra.shape[2])
    return _beside(sung, masks)


def _beside(sung: Plane | None, masks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The masks with `sung` for vocals, the others scaled to what it leaves, in place."""
    if sung is None:
        return masks
    masks[0] = sung[:, : masks.shape[2]]
    others = masks[1:]
    others += np.float32(1e-6)  # where all was taken for a voice, the others have even parts
    others *= (1 - masks[0]) / others.sum(0)
    return masks


def _extended(
    masks: npt.NDArray[np.float32], magnitude: npt.NDArray[np.float32], bins: int
) -> npt.NDArray[np.float32]:
    """Masks up to the last bin: above the cues, every stem has the share that it has in the topmost quarter."""
    known = masks.shape[2]
    if known == bins:
        return masks
    top = slice(3 * known // 4, known)
    level = magnitude[:, top] + np.float32(1e-9)
    share = (masks[:, :, top] * level).sum(2) / level.sum(1)
    above = np.broadcast_to(share[:, :, None], (*share.shape, bins - known))
    return np.concatenate([masks, above], axis=2)


@cache
def networks() -> tuple[MaskNetwork, ...]:
    """The fitted networks, one per pass; how they were fitted: `resonate_tests/benchmarks/mask_fitting`."""
    with _FILE.open("rb") as stream, np.load(stream) as arrays:
        return tuple(MaskNetwork.from_arrays(arrays, f"{number}.") for number in range(PASSES))


@cache
def networks_sha256() -> str:
    """SHA-256 of the networks' file, in hex: masks change with it."""
    return hashlib.sha256(_FILE.read_bytes()).hexdigest()

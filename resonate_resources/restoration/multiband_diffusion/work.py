"""What MultiBandDiffusion's worker does with a job: what polishing changes in a recording, file to file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.chunks import chunk_bounds, cut, joined, write_stems
from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.model_rate import stems_at_rate
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples
from resonate_resources.restoration.multiband_diffusion.loading import Network
from resonate_resources.signal.resampling import at_rate

VERSION = "1.3.0"
"""Of audiocraft."""
_CHUNK_SECONDS = 10.0
_FADE_SECONDS = 1.0
_STRIDE = 320
"""EnCodec's, in frames."""
_EQ_BANDS = 32
_SEED = 42
_SILENCE = 1e-4
_NO_BAND = 1e-8


class PolishingWork:
    """Jobs as `step.MultiBandDiffusion.mend` makes them. The latest network stays loaded."""

    def __init__(self) -> None:
        self._networks = Latest[Network]()

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        codec, diffusion = Path(job["codec"]), Path(job["diffusion"])
        warm = self._networks.holds(state_of(diffusion))
        network = self._networks.get(lambda: state_of(diffusion), lambda: Network(codec, diffusion))
        track = Recording.open(Path(job["track"]))
        polish_track(
            network, track, float(job["kbps"]), float(job["strictness"]), Path(job["into"]), progress
        )
        return {"was_warm": warm}


def polish_track(
    network: Network, track: Recording, kbps: float, strictness: float, into: Path, progress: Progress
) -> None:
    """Write `change.wav` into `into`: the polished track less the track, in its rate and length.

    So nothing changes above the codec's band (12 kHz).
    """
    rate = network.rate
    frames = -(-track.frames * rate // track.sample_rate)
    chunk, fade = (round(seconds * rate) for seconds in (_CHUNK_SECONDS, _FADE_SECONDS))
    bounds = list(chunk_bounds(frames, chunk, fade, _STRIDE))
    done = [0.0]

    def told(part: float) -> None:
        done[0] = part
        progress(part)

    def chunks() -> Iterator[dict[str, Samples]]:
        blocks = at_rate(track.blocks(), track.sample_rate, rate, track.channels, frames)
        for samples in cut(blocks, bounds):
            length = samples.shape[1]
            room = -(-max(length, rate) // _STRIDE) * _STRIDE
            padded = np.pad(samples, ((0, 0), (0, room - length)))
            yield {"change": change(network, padded, kbps, strictness, lambda: progress(done[0]))[:, :length]}

    names = ("change",)
    joint = joined(chunks(), bounds, fade)
    at_its_rate = stems_at_rate(joint, names, rate, track.sample_rate, track.channels, track.frames)
    write_stems(track, at_its_rate, names, into, told)


def change(network: Network, samples: Samples, kbps: float, strictness: float, told: Any) -> Samples:
    """(channels, frames) at the codec's rate → polished less samples, of the same shape.

    32 bands of what the diffusion makes are moved to the levels that they have in samples: by all of the difference
    in decibels with strictness 1, by none with 0 (`re_eq` of the package, which compares with its codec's sound). A
    gain holds for all channels. Raises ModelError where the network gives no numbers.
    """
    import torch
    from julius.bands import SplitBands

    if float(np.abs(samples).max()) < _SILENCE:
        return np.zeros_like(samples)
    made = []
    for channel in samples:
        torch.manual_seed(_SEED)  # what is in the middle stays there
        wave = torch.from_numpy(channel)[None, None].to(network.device)
        made.append(network.regenerate(wave, kbps, told)[0, 0].cpu())
    split = SplitBands(n_bands=_EQ_BANDS, sample_rate=network.rate)
    bands, wanted = split(torch.stack(made)), split(torch.from_numpy(samples))
    levels = [of.square().mean(dim=(1, 2)).sqrt().clamp(min=_NO_BAND) for of in (wanted, bands)]
    polished: Samples = (bands * ((levels[0] / levels[1]) ** strictness)[:, None, None]).sum(0).numpy()
    if not np.isfinite(polished).all():
        raise ModelError("MultiBandDiffusion gives no numbers: are its files whole?")
    return polished - samples

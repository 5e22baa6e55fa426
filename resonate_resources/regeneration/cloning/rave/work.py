"""What RAVE's worker does with a job: a recording encoded and decoded by somebody's exported model, file to file.

A model is TorchScript with the interface of nn~ (nn-tilde 1.6.0): `encode_params` holds channels in, frames to one
in, channels out, frames to one out; `sr` the rate in Hz. One exported for streaming keeps what it heard between
calls, and is late by what its convolutions look ahead; both are taken off here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_blocks
from resonate_resources.regeneration.cloning.played import PLAYED
from resonate_resources.signal.resampling import at_rate

SEED = 0
"""Of what is drawn in latents: a variational encoder's, and those that the export left out."""
_LONGEST_S = 30.0
"""Encoded at once: what is played comes in segments of 20 s and their release."""
_CLICKS = 8
_CLICK = 0.5
_NOISE = 0.01
_PROBE_S = 4.0


class TransferWork:
    """Jobs as `candidates.RaveInstrument.play` makes them. The latest model stays."""

    def __init__(self) -> None:
        self._models = Latest[Exported]()

    def __call__(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        weights, track = Path(job["weights"]), Recording.open(Path(job["track"]))
        model = self._models.get(lambda: state_of(weights), lambda: Exported.load(weights))
        progress(0.1)
        made = at_rate(model.transferred(track), model.rate, track.sample_rate, track.channels, track.frames)
        write_blocks(Path(job["into"]) / PLAYED, _finite(made, weights), like=track)
        return {"late_s": model.late / model.rate}


@dataclass
class Exported:
    """channels: that it takes. stride: frames to one of a latent. rate: in Hz. late: by how many frames sound comes
    out after it went in. fresh: its buffers before it has heard anything."""

    network: Any
    channels: int
    stride: int
    rate: int
    fresh: dict[str, Any]
    late: int = 0

    @classmethod
    def load(cls, file: Path) -> Exported:
        """Raises ModelError where it is no model of that interface."""
        import torch

        try:
            device = "cuda" if torch.cuda.is_available() else "cpu"
            network = torch.jit.load(str(file), map_location=device).eval()  # type: ignore[no-untyped-call]
            channels, _, _, stride = (int(one) for one in network.encode_params)
            fresh = {name: one.clone() for name, one in network.named_buffers()}
            model = cls(network, channels, stride, int(network.sr), fresh)
            model.late = model._lateness()
        except Exception as error:  # whatever TorchScript makes of a file that is none, or of another kind
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"{file}: is no model that `rave export` wrote ({reason})") from error
        return model

    def transferred(self, track: Recording) -> Iterator[Samples]:
        """(the track's channels, frames) at the model's rate, in place. A track of other channels than the model's
        goes through it channel by channel."""
        frames = -(-track.frames * self.rate // track.sample_rate)
        if track.duration > _LONGEST_S:
            raise ModelError(f"RAVE takes up to {_LONGEST_S:.0f} s at once, not {track.duration:.0f}")
        read = np.concatenate(
            list(at_rate(track.blocks(), track.sample_rate, self.rate, track.channels, frames)), axis=1
        )
        if track.channels == self.channels:
            yield self._through(read)
        else:
            yield np.concatenate([self._through(np.repeat(one[None], self.channels, 0))[:1] for one in read])

    def _through(self, samples: Samples) -> Samples:
        """(channels, frames), from a model that has heard nothing before."""
        import torch

        frames = samples.shape[1]
        padded = np.pad(samples, ((0, 0), (0, -(frames + self.late) % self.stride + self.late)))
        torch.manual_seed(SEED)
        with torch.inference_mode():
            for name, buffer in self.network.named_buffers():
                buffer.copy_(self.fresh[name])
            wave = torch.from_numpy(padded)[None].to(next(iter(self.fresh.values())).device)
            made = self.network.decode(self.network.encode(wave))[0]
        return np.asarray(made[:, self.late : self.late + frames].cpu(), np.float32)

    def _lateness(self) -> int:
        """By how many whole strides, in frames, clicks in noise come out late: half of the energy of what they
        change comes before, half after; in the mean of clicks that lie differently to the stride.

        Tried on v2 of acids-rave 2.3.1 with random weights: 0 of an export, 13 strides (604 ms) of the same one for
        streaming. Its convolutions are late by whole strides (`stride_delay` in cached-conv 2.5.0).
        """
        frames = round(_PROBE_S * self.rate) // self.stride * self.stride
        noise = np.random.default_rng(SEED).normal(0, _NOISE, (self.channels, frames)).astype(np.float32)
        before = self._through(noise)
        late = []
        for number in range(_CLICKS):
            at = frames // 3 + number * self.stride // _CLICKS
            clicked = noise.copy()
            clicked[:, at] += _CLICK
            changed = np.cumsum(np.square(self._through(clicked) - before, dtype=np.float64).sum(axis=0))
            late.append(int(np.searchsorted(changed, changed[-1] / 2)) - at)
        return max(0, round(float(np.mean(late)) / self.stride)) * self.stride


def _finite(blocks: Iterator[Samples], file: Path) -> Iterator[Samples]:
    for block in blocks:
        if not np.isfinite(block).all():
            raise ModelError(f"{file}: gives no numbers")
        yield block

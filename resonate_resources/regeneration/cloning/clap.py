"""LAION-CLAP's hearing: 512 numbers for how an instrument sounds (arXiv 2211.06687), by the package's own network.

Its words are left out; they would fetch a language model.
"""

from __future__ import annotations

import importlib
import types
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.models.latest import Latest, state_of
from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError, ModelFile
from resonate_resources.models.workers.stand_in import bare, stand_in
from resonate_resources.recordings.recording import Recording
from resonate_resources.regeneration.cloning.checkpoint import fill
from resonate_resources.regeneration.cloning.loudest import loudest_span
from resonate_resources.signal.mono import Mono, cancelling

CHECKPOINT = ModelFile(
    "https://huggingface.co/lukewys/laion_clap/resolve/main/music_audioset_epoch_15_esc_90.14.pt", ""
)
"""The one that LiveSynth and TokenSynth were trained with. No hash is published."""
LICENCE = "CC0-1.0"
RATE = 48_000
SECONDS = 10.0
"""What it was trained on; both instruments heard as much."""
_NOT_NEEDED = ("torchvision", "torchvision.ops", "torchvision.ops.misc", "h5py")
_HEARD = types.SimpleNamespace(
    sample_rate=RATE, window_size=1024, hop_size=480, mel_bins=64, fmin=50, fmax=14_000, class_num=527
)
"""Of HTSAT-base and HTSAT-tiny, by `model_configs` in laion-clap 1.1.7."""


class Timbres:
    """How recordings sound; the network and the latest answer stay."""

    def __init__(self) -> None:
        self._networks = Latest[Any]()
        self._answers = Latest[Any]()

    def of(self, recording: Recording, checkpoint: Path, narrow_to: int | None = None) -> Any:
        """A tensor (1, 512) of length one, of the loudest ten seconds.

        narrow_to: the rate in Hz that the recording is brought to first. Raises ModelError, AudioError.
        """

        def state() -> object:
            return state_of(recording.path), state_of(checkpoint), narrow_to

        return self._answers.get(state, lambda: self._hear(recording, checkpoint, narrow_to))

    def _hear(self, recording: Recording, checkpoint: Path, narrow_to: int | None) -> Any:
        import soxr
        import torch

        network = self._networks.get(lambda: state_of(checkpoint), lambda: hearing(checkpoint))
        samples = _mono(recording, *loudest_span(recording, SECONDS))
        for source, target in (
            (recording.sample_rate, narrow_to or recording.sample_rate),
            (narrow_to or recording.sample_rate, RATE),
        ):
            samples = soxr.resample(samples, source, target)
        wave = torch.from_numpy(repeated(samples, round(SECONDS * RATE)))[None]
        with torch.inference_mode():
            heard = network["audio_branch"]({"waveform": wave}, device=next(network.parameters()).device)
            timbre = torch.nn.functional.normalize(network["audio_projection"](heard["embedding"]), dim=-1)
        if not bool(torch.isfinite(timbre).all()):
            raise ModelError(f"{checkpoint}: hears no numbers: is it whole?")
        return timbre.clone()  # an instrument's own passes are not in inference mode


def hearing(checkpoint: Path) -> Any:
    """The network in a file of laion-clap's, of the size that its weights have: `audio_branch` and
    `audio_projection`. Raises ModelError."""
    import torch

    saved = read_torch_file(checkpoint)
    try:
        weights = {name.removeprefix("module."): one for name, one in saved.get("state_dict", saved).items()}
        inner, outer = (weights[f"audio_projection.{place}.weight"].shape for place in (0, 2))
        network = torch.nn.ModuleDict(
            {
                "audio_branch": _transformer(weights),
                "audio_projection": torch.nn.Sequential(
                    torch.nn.Linear(inner[1], inner[0]),
                    torch.nn.ReLU(),
                    torch.nn.Linear(outer[1], outer[0]),
                ),
            }
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise ModelError(f"{checkpoint}: is no file of LAION-CLAP's (it lacks {error})") from error
    return fill(network, weights, checkpoint)


def repeated(samples: Mono, frames: int) -> Mono:
    """As the package fills up what is shorter (`repeatpad`): as often as it fits whole, then silence."""
    if samples.size >= frames:
        return samples[:frames]
    whole = np.tile(samples, frames // max(1, samples.size))
    return np.pad(whole, (0, frames - whole.size))


def _transformer(weights: dict[str, Any]) -> Any:
    def blocks(layer: int) -> list[str]:
        ending = "attn.relative_position_bias_table"
        return [
            name
            for name in weights
            if name.startswith(f"audio_branch.layers.{layer}.blocks.") and name.endswith(ending)
        ]

    layers = [names for names in map(blocks, range(8)) if names]
    return _package().HTSAT_Swin_Transformer(
        spec_size=256,
        patch_size=4,
        patch_stride=(4, 4),
        num_classes=_HEARD.class_num,
        embed_dim=weights["audio_branch.patch_embed.proj.weight"].shape[0],
        depths=[len(names) for names in layers],
        num_heads=[weights[names[0]].shape[1] for names in layers],
        window_size=8,
        config=_HEARD,
    )


@cache
def _package() -> Any:
    stand_in(_NOT_NEEDED)
    bare("laion_clap", "clap_module")
    return importlib.import_module("laion_clap.clap_module.htsat")


def _mono(recording: Recording, start: int, stop: int) -> Mono:
    one = cancelling(recording)
    samples = recording.read(start, stop)
    mono: Mono = samples.mean(axis=0, dtype=np.float32) if one is None else samples[one]
    return mono

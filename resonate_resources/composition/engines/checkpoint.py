"""MusicGen's networks (Copet et al. 2023, arXiv 2306.05284), as transformers has them, out of a hub's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import soxr

from resonate_resources.composition.engines.chroma import CHROMA_RATE, loudest_pitch_classes
from resonate_resources.models.hub_folder import settings_of, weights_in, whole
from resonate_resources.models.precision import lower_precision
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.mono import Mono

Kind = Literal["musicgen", "musicgen_melody"]
"""What config.json calls it."""

INSTALL: Final = "pip install 'resonate-studio[compose]'"
PACKAGES: Final = ("torch", "transformers")
GUIDANCE: Final = 3.0
"""How far text and melody lead, by classifier-free guidance: its authors' own setting. They sample of the 250
likeliest tokens at temperature 1."""
TOP_K: Final = 250


def folder_of(kind: Kind, directory: Path) -> Path | None:
    """Of the folders that hold such a network and its weights, that of the widest; None where none does."""
    widths = {
        config.parent: settings_of(config).get("decoder", {}).get("hidden_size", 0)
        for config in sorted(directory.glob("*/config.json"))
        if settings_of(config).get("model_type") == kind and weights_in(config.parent)
    }
    return max(widths, key=lambda folder: widths[folder], default=None)


def packages_lacking(*more: str) -> str:
    """As in "torch, transformers"; "" where nothing is. more: needed beside PACKAGES."""
    return ", ".join(package for package in (*PACKAGES, *more) if find_spec(package) is None)


@cache
def load(folder: Path, kind: Kind) -> Checkpoint:
    """Once a process. Raises ModelError where the folder is not whole."""
    try:
        return Checkpoint(folder, kind)
    except ModelError:
        raise
    except Exception as error:  # of transformers, tokenizers or safetensors, which have their own
        raise ModelError(f"{folder}: can't be read ({str(error).splitlines()[0]})") from error


class Checkpoint:
    """rate: of its sound in Hz. step: frames of a token. lower: the precision of the decoder, which takes the time,
    as its authors have it on a GPU; None: float32."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        import torch
        import transformers

        networks = {
            "musicgen": transformers.MusicgenForConditionalGeneration,
            "musicgen_melody": transformers.MusicgenMelodyForConditionalGeneration,
        }
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._network = whole(networks[kind], folder)
        decoder = self._network.config.decoder
        if decoder.audio_channels != 1:
            raise ModelError(f"{folder}: is a stereo model; only mono ones can be used")
        self._late = decoder.num_codebooks - 1
        codec = self._network.config.audio_encoder
        self.rate = int(codec.sampling_rate)
        self.step = int(codec.hop_length)
        self.lower: Any = torch.float16 if lower_precision("best") else None
        # Text and sound stay float32.
        full = torch.autocast(self._network.device.type, enabled=False)
        self._network.text_encoder.forward = full(self._network.text_encoder.forward)
        self._network.audio_encoder.decode = full(self._network.audio_encoder.decode)

    def generate(
        self, texts: Sequence[str], prompts: Samples | None, frames: int, melodies: Sequence[Mono] | None
    ) -> Samples:
        """(texts, frames) at its rate; what is continued comes first. All at once: a step of one takes as long.

        prompts: (texts, frames). melodies: of the window, at CHROMA_RATE; silence leads nowhere.
        """
        import torch

        device = self._network.device
        tokens = -(-frames // self.step)
        inputs = dict(self._tokenizer([*texts], padding=True, return_tensors="pt").to(device))
        if melodies is not None:
            classes = np.stack([loudest_pitch_classes(melody) for melody in melodies])
            inputs["input_features"] = torch.from_numpy(classes).to(device)
        with torch.inference_mode():
            known = 0
            if prompts is not None:
                heard = torch.from_numpy(np.ascontiguousarray(prompts))[:, np.newaxis].to(device)
                codes = self._network.audio_encoder.encode(heard).audio_codes[0]
                inputs["decoder_input_ids"] = codes.flatten(0, 1)
                known = codes.shape[-1]
            # Around the whole, so that weights are brought to it once.
            with torch.autocast(device.type, self.lower, enabled=self.lower is not None):
                sound = self._network.generate(
                    **inputs,
                    do_sample=True,
                    top_k=TOP_K,
                    guidance_scale=GUIDANCE,
                    # Each codebook begins a token after the one before: so many more are made than come out.
                    max_new_tokens=tokens - known + self._late,
                )
        made: Samples = sound[:, 0].float().cpu().numpy()
        if not np.isfinite(made).all():
            raise ModelError("the model made no numbers: is it whole?")
        return made[:, :frames]


def melody_of(recording: Recording, start_s: float, seconds: float) -> Mono:
    """Of a part of a recording, at CHROMA_RATE; silence where it has ended."""
    start = round(start_s * recording.sample_rate)
    samples = recording.read(start, start + round(seconds * recording.sample_rate)).mean(axis=0)
    mono = soxr.resample(samples, recording.sample_rate, CHROMA_RATE)
    frames = round(seconds * CHROMA_RATE)
    return np.pad(mono, (0, max(0, frames - mono.size)))[:frames].astype(np.float32)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's chance from a seed, for a while."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield

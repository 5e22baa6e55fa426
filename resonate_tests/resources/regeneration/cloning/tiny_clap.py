"""LAION-CLAP's hearing, small, with random weights, in a file as its hub has it. Run by the worker's Python."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import torch

from resonate_resources.regeneration.cloning import clap

CONFIG = types.SimpleNamespace(
    sample_rate=48_000, window_size=1024, hop_size=480, mel_bins=64, fmin=50, fmax=14_000, class_num=527
)


def make_clap(directory: Path) -> torch.nn.ModuleDict:
    torch.manual_seed(5)
    branch = clap._package().HTSAT_Swin_Transformer(
        spec_size=256, patch_size=4, patch_stride=(4, 4), num_classes=527, embed_dim=16, depths=[1, 1, 2, 1],
        num_heads=[1, 2, 4, 8], window_size=8, config=CONFIG,
    )  # fmt: skip
    projection = torch.nn.Sequential(torch.nn.Linear(128, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512))
    network = torch.nn.ModuleDict({"audio_branch": branch, "audio_projection": projection}).eval()
    with torch.no_grad():  # as it is made, all sounds are nearly one to it
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.2 * torch.randn_like(parameter))
    torch.save(
        {
            "epoch": 15,
            "best": np.float64(90.14),
            "state_dict": {f"module.{name}": one for name, one in network.state_dict().items()}
            | {"module.text_projection.0.weight": torch.zeros(2, 2)},
        },
        directory / clap.CHECKPOINT.name,
        pickle_protocol=4,  # as the published file (Audio-AGI/AudioSep, pull request 51)
    )
    return network


def heard(network: torch.nn.ModuleDict, samples_48k: np.ndarray[Any, Any]) -> torch.Tensor:
    """As `CLAP.get_audio_embedding` of the package."""
    with torch.no_grad():
        embedding = network["audio_branch"]({"waveform": torch.from_numpy(samples_48k)[None]})["embedding"]
        return torch.nn.functional.normalize(network["audio_projection"](embedding), dim=-1)

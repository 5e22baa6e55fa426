"""DDSP's decoder of torch's own layers, with random weights, in files as ddsp_pytorch's `train.py` leaves them."""

from __future__ import annotations

import math
from pathlib import Path

import torch
import yaml
from torch import nn

RATE, BLOCK, HIDDEN, HARMONICS, BANDS = 16_000, 160, 32, 20, 65
MEAN, STD = -11.0, 2.0


def layers(inputs: int) -> nn.Sequential:
    made: list[nn.Module] = []
    for size in (inputs, HIDDEN, HIDDEN):
        made += [nn.Linear(size, HIDDEN), nn.LayerNorm(HIDDEN), nn.LeakyReLU()]
    return nn.Sequential(*made)


def scaled(value: torch.Tensor) -> torch.Tensor:
    """Equation 5 of arXiv 2001.04643."""
    return 2 * torch.sigmoid(value) ** math.log(10) + 1e-7


class Peer(nn.Module):
    def __init__(self, room: bool = True) -> None:
        super().__init__()
        self.register_buffer("sampling_rate", torch.tensor(RATE))
        self.register_buffer("block_size", torch.tensor(BLOCK))
        self.in_mlps = nn.ModuleList([layers(1)] * 2)
        self.gru = nn.GRU(2 * HIDDEN, HIDDEN, batch_first=True)
        self.out_mlp = layers(HIDDEN + 2)
        self.proj_matrices = nn.ModuleList([nn.Linear(HIDDEN, HARMONICS + 1), nn.Linear(HIDDEN, BANDS)])
        if room:
            self.reverb = nn.Module()
            self.reverb.noise = nn.Parameter(torch.rand(800, 1) * 2 - 1)
            self.reverb.decay = nn.Parameter(torch.tensor(4.0))
            self.reverb.wet = nn.Parameter(torch.tensor(-1.0))
        self.double()

    def controls(self, pitch: torch.Tensor, loudness: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of (1, frames, 1) each; loudness to scale."""
        heard = torch.cat([self.in_mlps[0](pitch), self.in_mlps[1](loudness)], -1)
        hidden = self.out_mlp(torch.cat([self.gru(heard)[0], pitch, loudness], -1))
        out = scaled(self.proj_matrices[0](hidden))
        under = (pitch * torch.arange(1, HARMONICS + 1) < RATE / 2).double() + 1e-4
        shares = out[..., 1:] * under
        return out[..., :1] * shares / shares.sum(-1, keepdim=True), scaled(self.proj_matrices[1](hidden) - 5)


def save(peer: Peer, directory: Path) -> Path:
    directory.mkdir(parents=True)
    torch.save(peer.float().state_dict(), directory / "state.pth")
    told = {"data": {"mean_loudness": MEAN, "std_loudness": STD}, "model": {"hidden_size": HIDDEN}}
    (directory / "config.yaml").write_text(yaml.safe_dump(told))
    peer.double()
    return directory / "state.pth"

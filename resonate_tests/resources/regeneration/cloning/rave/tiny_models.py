"""Models with the interface that `rave export` writes, whose latents hold all of the sound, so that what comes out
is known: `python tiny_models.py DIRECTORY`. Run by the worker's Python.

RAVE's own code may not be used commercially, so no test has it; what it exports was tried by hand
(docs/regeneration.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

RATE, STRIDE = 24_000, 256
LATE_STRIDES = 5


class Codec(torch.nn.Module):
    """A turn of each stretch of STRIDE frames, and back; late by so many strides, as it keeps what it heard."""

    def __init__(self, channels: int, late_strides: int) -> None:
        super().__init__()
        self.sr = RATE
        self.channels = channels
        self.late = late_strides
        latents = channels * STRIDE
        turn, _ = torch.linalg.qr(torch.randn(latents, latents))
        self.register_buffer("turn", turn)
        self.register_buffer("kept", torch.zeros(1, latents, late_strides))
        self.register_buffer("encode_params", torch.tensor([channels, 1, latents, STRIDE]))
        self.register_buffer("decode_params", torch.tensor([latents, STRIDE, channels, 1]))

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        stretches = (
            x.reshape(1, self.channels, -1, 256).permute(0, 1, 3, 2).reshape(1, self.channels * 256, -1)
        )
        z = torch.cat([self.kept, torch.matmul(self.turn, stretches)], 2)
        if self.late > 0:
            self.kept.copy_(z[:, :, z.shape[2] - self.late :])
        return z[:, :, : z.shape[2] - self.late]

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        stretches = torch.matmul(self.turn.t(), z).reshape(1, self.channels, 256, -1)
        return stretches.permute(0, 1, 3, 2).reshape(1, self.channels, -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


class Loud(Codec):
    """Gives no numbers."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1, 1, z.shape[2] * 256) / 0.0


def main(directory: Path) -> None:
    torch.manual_seed(0)
    for name, model in (
        ("mono", Codec(1, 0)),
        ("streaming", Codec(1, LATE_STRIDES)),
        ("stereo", Codec(2, LATE_STRIDES)),
        ("broken", Loud(1, 0)),
    ):
        torch.jit.script(model).save(directory / f"{name}.ts")
    torch.jit.script(torch.nn.Linear(2, 2)).save(directory / "other.ts")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
